"""What an answer to a delivery means, and when it is tried again. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_PAUSE: Final = 10.0
"""The least bound of a pause, in seconds."""
CEILING: Final = 3600.0
"""The highest."""
LONGEST_ASKED: Final = 6 * 3600.0
"""No Retry-After makes a webhook wait for longer, in seconds."""
LEAST_PAUSE: Final = 1.0
"""Between two tries, in seconds, whatever chance says."""
SLOW_DOWN: Final = frozenset({429, 502, 503, 504})
"""Statuses by which a receiver says that it is too busy (Standard Webhooks, "Deliverability")."""
GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back of one attempt."""

    status: int | None
    """None: nothing came back."""
    error: str | None = None
    """Why nothing came back."""
    retry_after: str | None = None
    """The header as it came."""
    text: str = ""
    """The beginning of the body, for the log."""
    refused_here: bool = False
    """It never left: the address may not be reached."""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == GONE

    @property
    def problem(self) -> str | None:
        """Return in words what was wrong, None when nothing was."""
        if self.accepted:
            return None
        if self.status is None:
            return self.error or "no answer"
        if 300 <= self.status < 400:
            return f"answered {self.status}: redirects are not followed"
        said = f": {self.text}" if self.text else ""
        return f"answered {self.status}{said}"


def pause_seconds(answer: Answer, *, age: timedelta, now: datetime, chance: float) -> float:
    """Return after how many seconds a delivery is tried again that is wanted since `age`.

    Random below a bound (full jitter): the delivery's age, so that pauses grow as it gets older, whatever else it had
    to wait for. `chance` is a random number of 0 to 1. What Retry-After asks for is the least.
    """
    bound = min(max(age.total_seconds(), FIRST_PAUSE), CEILING)
    return max(LEAST_PAUSE, chance * bound, asked_seconds(answer, now=now))


def asked_seconds(answer: Answer, *, now: datetime) -> float:
    """Return how long the receiver asked to be left alone, in seconds; 0 when it did not, or not in a known form."""
    if answer.status not in SLOW_DOWN or answer.retry_after is None:
        return 0.0
    text = answer.retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_ASKED)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_ASKED)
