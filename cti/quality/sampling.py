"""Which calls are drawn for review: the same ones whenever it is asked, by a seed. Pure.

Each call gets a number from the seed, the week and its id; the smallest are drawn. So the draw depends neither on the
order of the calls nor on the machine, and whoever knows the seed can prove that nobody chose.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cti.errors import BadInput
from cti.model.judgements import JudgedCall

_WEEK: Final = timedelta(days=7)


def draw(calls: Iterable[JudgedCall], *, seed: str, week: str, quota: int) -> list[JudgedCall]:
    """Return at most `quota` calls of each agent, by agent; calls without an agent are passed over."""
    of_agent: defaultdict[int, list[JudgedCall]] = defaultdict(list)
    for call in calls:
        if call.agent_id is not None:
            of_agent[call.agent_id].append(call)
    return [
        call
        for _, own in sorted(of_agent.items())
        for call in sorted(own, key=lambda call: _lot(seed, week, call.call_id))[:quota]
    ]


def _lot(seed: str, week: str, call_id: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{week}\0{call_id}".encode(), digest_size=16).digest()


def week_of(at: datetime, zone: ZoneInfo) -> str:
    """Return the ISO week of a moment where the service is, as `2026-W48`."""
    year, week, _ = at.astimezone(zone).isocalendar()
    return f"{year}-W{week:02d}"


def span_of_week(week: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a week begins and ends. Raises BadInput for what is no ISO week."""
    try:
        year, number = week.split("-W")
        monday = date.fromisocalendar(int(year), int(number), 1)
        days = (monday, monday + _WEEK)
    except (ValueError, OverflowError):
        raise BadInput(f"week: {week!r} is no week; write 2026-W48") from None
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in days)
    return begin, end
