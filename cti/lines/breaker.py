"""A trunk's circuit breaker: when too many calls fail technically, nothing leaves for a while. Pure; a table of states.

Judged by the last calls of the last minutes, so that neither an old bad hour nor one bad number opens it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cti.model.lines import BreakerState as S

CALLS: Final = 20
"""The newest calls that count."""
LEAST_CALLS: Final = 8
"""Fewer decide nothing: at a usual 2 % of failures, 4 of 8 come once in 100,000 times."""
SPAN: Final = timedelta(minutes=5)
LONGEST_REST: Final = timedelta(minutes=10)


class Word(StrEnum):
    """What was learned of a trunk."""

    TRIPPED = "tripped"
    """The share of failures was reached."""
    RESTED = "rested"
    WORKED = "worked"
    FAILED = "failed"


NEXT: Final[Mapping[S, Mapping[Word, S]]] = {
    S.CLOSED: {Word.TRIPPED: S.OPEN},
    S.OPEN: {Word.RESTED: S.HALF_OPEN, Word.WORKED: S.CLOSED},
    S.HALF_OPEN: {Word.WORKED: S.CLOSED, Word.FAILED: S.OPEN},
}
"""Open, a call that was under way may still prove that the trunk works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One trunk's breaker."""

    share: float
    """Of failures, at which it opens."""
    rest: timedelta
    state: S = S.CLOSED
    since: datetime | None = None
    """Of the present state, once it changed."""
    results: tuple[tuple[datetime, bool], ...] = ()
    """When a call was judged, and whether the trunk worked; newest last."""
    rests: int = 0
    """How often in a row it opened."""

    @property
    def opens_again_at(self) -> datetime | None:
        """When it tries a call, while it is open."""
        if self.state is not S.OPEN or self.since is None:
            return None
        return self.since + min(self.rest * (1 << min(self.rests - 1, 20)), max(LONGEST_REST, self.rest))

    @property
    def failed(self) -> int:
        """Count the failures among its results."""
        return sum(not worked for _, worked in self.results)


def noted(breaker: Breaker, *, worked: bool, at: datetime) -> Breaker:
    """Return the breaker after one more call was judged."""
    kept = [result for result in breaker.results if at - result[0] <= SPAN][-(CALLS - 1) :]
    breaker = replace(breaker, results=(*kept, (at, worked)))
    if breaker.state is not S.CLOSED:
        return _moved(breaker, Word.WORKED if worked else Word.FAILED, at)
    total = len(breaker.results)
    tripped = total >= LEAST_CALLS and breaker.failed >= breaker.share * total
    return _moved(breaker, Word.TRIPPED, at) if tripped and not worked else breaker


def rested(breaker: Breaker, now: datetime) -> Breaker:
    """Return the breaker as it is now: half open when it has rested long enough."""
    again = breaker.opens_again_at
    return _moved(breaker, Word.RESTED, now) if again is not None and now >= again else breaker


def _moved(breaker: Breaker, word: Word, at: datetime) -> Breaker:
    after = NEXT[breaker.state].get(word)
    if after is None:
        return breaker
    if after is S.OPEN:
        return replace(breaker, state=after, since=at, rests=breaker.rests + 1)
    if after is S.CLOSED:
        return replace(breaker, state=after, since=at, rests=0, results=())
    return replace(breaker, state=after, since=at)
