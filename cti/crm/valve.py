"""How much may flow to a CRM now: a rate, a budget for the day, pauses and stops. Pure: a standing in, a standing out.

One bucket of tokens for each account, kept in the database, so that several processes share it and a restart does not
fill it. A pause holds back all calls of a target at once: while a CRM is down nobody tries ten thousand times.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from math import floor
from typing import Final

from cti.model.crm import Answer, Rate, TargetStanding
from cti.work.backoff import RetryPlan

OK: Final = "ok"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"

AWAY_PLAN: Final = RetryPlan(first_seconds=2.0, ceiling_seconds=60.0)
"""A CRM that is down is asked again within a minute of its coming back; one request is all that costs."""
THROTTLE_PLAN: Final = RetryPlan(first_seconds=2.0, ceiling_seconds=900.0)
SLOWEST: Final = 0.05
RECOVERY: Final = 0.02
"""Share of the rate that comes back with each batch that went well (additive increase, multiplicative decrease)."""
KEPT_FOR_WRITES: Final = 0.25
"""Share of the day's budget that look-ups leave alone."""
LONGEST_PAUSE_SECONDS: Final = 24 * 3600.0
UNLIMITED: Final = 1_000_000
REASON_LENGTH: Final = 500


def allowed(standing: TargetStanding, rate: Rate, *, now: datetime) -> int:
    """Return how many requests may leave now."""
    if standing.state == STOPPED or _still_paused(standing, now):
        return 0
    room = min(_tokens(standing, rate, now), _left_today(standing, rate, now))
    if standing.failures:
        room = min(room, 1)  # one goes ahead to see whether it is well again
    return max(0, floor(room))


def spare(standing: TargetStanding, rate: Rate, *, writes_wait: bool, now: datetime) -> int:
    """Return how many requests may leave now for what is nice to have, and must take nothing from writes.

    While calls wait to be written only what the bucket holds above its half is spare; of the day's budget the last
    quarter never is. A CRM that was away a moment ago is tried by a write.
    """
    if standing.failures:
        return 0
    room = allowed(standing, rate, now=now) - (rate.burst // 2 + 1 if writes_wait else 0)
    if rate.per_day is not None:
        room = min(room, floor(_left_today(standing, rate, now) - rate.per_day * KEPT_FOR_WRITES))
    return max(0, room)


def wait_seconds(standing: TargetStanding, rate: Rate, *, now: datetime) -> float:
    """Return in how many seconds a request may leave, 0 when one may now. A stop has no end: a minute is told."""
    if standing.state == STOPPED:
        return 60.0
    if standing.until is not None and _still_paused(standing, now):
        return (standing.until - now).total_seconds()
    if _left_today(standing, rate, now) < 1:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return (midnight - now).total_seconds()
    missing = 1.0 - _tokens(standing, rate, now)
    if missing <= 0 or rate.per_second is None:
        return 0.0
    return missing / (rate.per_second * standing.slowed)


def spent(standing: TargetStanding, rate: Rate, requests: int, *, now: datetime) -> TargetStanding:
    """Return the standing after so many requests left; fewer than none gives some back."""
    day = _day(now)
    before = standing.spent if standing.day == day else 0
    return replace(
        standing,
        tokens=_tokens(standing, rate, now) - requests if rate.per_second is not None else 0.0,
        tokens_at=now,
        day=day,
        spent=max(0, before + requests),
    )


def answered(
    standing: TargetStanding,
    answer: Answer,
    *,
    now: datetime,
    chance: float,
    count: int = 1,
    message: str = "",
    pause_seconds: float | None = None,
) -> TargetStanding:
    """Return the standing after the CRM answered so, to `count` calls. `chance` is a random number of 0 to 1."""
    counts = {**standing.counts, answer.value: standing.counts.get(answer.value, 0) + count}
    standing = replace(standing, counts=counts)
    match answer:
        case Answer.AUTH:
            since = standing.since if standing.state == STOPPED else now
            return replace(standing, state=STOPPED, reason=message[:REASON_LENGTH], since=since, until=None)
        case Answer.AWAY:
            return _paused(standing, AWAY_PLAN, message, now=now, chance=chance)
        case Answer.THROTTLE:
            slower = replace(standing, slowed=max(SLOWEST, standing.slowed / 2))
            return _paused(slower, THROTTLE_PLAN, message, now=now, chance=chance, at_least=pause_seconds)
        case Answer.UNKNOWN:  # a gateway before a CRM that is down answers so, too
            return _paused(standing, AWAY_PLAN, message, now=now, chance=chance)
    if standing.state == STOPPED:
        return standing  # an answer from before; who stopped it says when it goes on
    return replace(
        standing,
        state=OK,
        reason="",
        since=now if standing.state != OK or standing.since is None else standing.since,
        until=None,
        failures=0,
        slowed=min(1.0, standing.slowed + RECOVERY),
    )


def resumed(standing: TargetStanding, *, now: datetime) -> TargetStanding:
    """Return the standing after a person, or a check that went well, says that it goes on."""
    return replace(standing, state=OK, reason="", since=now, until=None, failures=0, slowed=1.0)


def _paused(
    standing: TargetStanding,
    plan: RetryPlan,
    message: str,
    *,
    now: datetime,
    chance: float,
    at_least: float | None = None,
) -> TargetStanding:
    if standing.state == STOPPED or _still_paused(standing, now):
        return standing  # several were under way when it went; they count as one failure
    failures = standing.failures + 1
    # never less than half: the many that wait here share one pause, so there is nothing to spread
    pause = min(plan.ceiling_seconds, plan.first_seconds * 2.0 ** min(failures - 1, 30)) * (0.5 + chance / 2)
    return replace(
        standing,
        state=PAUSED,
        reason=message[:REASON_LENGTH],
        since=standing.since if standing.state == PAUSED else now,
        until=now + timedelta(seconds=pause if at_least is None else bounded(at_least)),
        failures=failures,
    )


def bounded(seconds: float | None) -> float:
    """Return a pause as a CRM may ask for it: whatever it says, it is asked again within a day."""
    return min(max(0.0, seconds or 0.0), LONGEST_PAUSE_SECONDS)


def _still_paused(standing: TargetStanding, now: datetime) -> bool:
    return standing.state == PAUSED and standing.until is not None and now < standing.until


def _tokens(standing: TargetStanding, rate: Rate, now: datetime) -> float:
    if rate.per_second is None:
        return UNLIMITED
    if standing.tokens_at is None:
        return rate.burst
    gained = (now - standing.tokens_at).total_seconds() * rate.per_second * standing.slowed
    return min(float(rate.burst), standing.tokens + max(0.0, gained))


def _left_today(standing: TargetStanding, rate: Rate, now: datetime) -> float:
    if rate.per_day is None:
        return UNLIMITED
    return rate.per_day - (standing.spent if standing.day == _day(now) else 0)


def _day(now: datetime) -> str:
    return now.date().isoformat()
