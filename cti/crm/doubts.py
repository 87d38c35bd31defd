"""Whether records that a CRM does not give any more are gone, or only out of our sight.

Many a CRM leaves out what we may not see, and says nothing: a right that was taken away looks as if all had been
deleted. So a large share of what was asked for is not believed, nor are a few of few, again and again.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cti.model.crm_pulls import PullAnswer, PullRules, PullStanding

FEW_GONE: Final = 5
"""So many in `LATELY` are believed though they are a large share of what was asked for."""
LATELY: Final = timedelta(hours=24)
OF_CHECK: Final = "check: "
"""Begins what is told of asking for known records; what is told of pages begins otherwise."""
CHECK_AGAIN: Final = timedelta(minutes=1)


class Doubts:
    """Judges the answers of all pulls. What it remembers lives as long as the process."""

    def __init__(self) -> None:
        self._lately: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)

    def believes(self, rules: PullRules, answer: PullAnswer, *, now: datetime) -> bool:
        """Return whether what an answer leaves out is taken for deleted."""
        gone, asked = len(answer.gone), len(answer.gone) + len(answer.records)
        if is_small(gone, asked, rules.gone_share):
            return True
        lately = [(at, count) for at, count in self._lately[rules.name] if now - at < LATELY]
        believed = is_few(gone, [count for _, count in lately])
        self._lately[rules.name] = [*lately, (now, gone)] if believed else lately
        return believed


def is_small(gone: int, asked: int, share: float) -> bool:
    """Return whether so many of what was asked for may well be the work of people. Pure."""
    return gone <= share * asked


def is_few(gone: int, lately: Sequence[int]) -> bool:
    """Return whether so many are few, together with those of before. Pure."""
    return gone + sum(lately) <= FEW_GONE


def doubt_of(answer: PullAnswer) -> str:
    """Return what is told of an answer that is not believed. Pure."""
    gone, asked = len(answer.gone), len(answer.gone) + len(answer.records)
    return (
        f"{OF_CHECK}{gone} of {asked} records are not there any more, too many to be the work of people: none is "
        "taken for deleted; may we still see them there?"
    )


def is_of_check(error: str) -> bool:
    """Return whether something is told of asking for known records. Pure."""
    return error.startswith(OF_CHECK)


def checks_wait(known: PullStanding, now: datetime, *, every: timedelta) -> bool:
    """Return whether known records are not asked for now, because something came to nothing a moment ago. Pure.

    `every`: between two pages; after one that failed both wait, else they would take turns without end.
    """
    if known.error_at is None:
        return False
    return now - known.error_at < (CHECK_AGAIN if is_of_check(known.error) else min(every, CHECK_AGAIN))
