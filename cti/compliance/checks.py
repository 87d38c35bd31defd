"""May this contact be dialed now? One small function for each rule, asked in a fixed order. Pure; never raises on data.

What holds for good comes first, so that nobody waits for an hour at which he must not be called either. The first
refusal is the verdict; `every_check` tells all of them, for people who ask why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cti.compliance.facts import ConsentStanding, Facts
from cti.compliance.hours import Span, Standing, next_date, standing
from cti.compliance.law import EVERY_ZONE, REFUSE, Law, span_text
from cti.compliance.places import Place, place_of, zone_called
from cti.model.contacts import Candidate
from cti.model.verdicts import ALLOWED, SkipReason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question: whom, under which law, with what is known, when."""

    candidate: Candidate
    facts: Facts
    law: Law
    place: Place
    now: datetime

    @property
    def standing(self) -> Standing:
        """How the law's calendar stands where the number is answered."""
        calendar = self.law.calendar
        country = self.place.country if calendar.asks_country else ""
        return standing(calendar, self.place.zones, country, self.now)


def case_of(candidate: Candidate, facts: Facts, law: Law, now: datetime) -> Case:
    """Put a case together: the contact's own zone, else the number's, else what the law takes for unknown ones."""
    if not law.wants_zone:
        place = Place(candidate.number, ())
    else:
        place = place_of(candidate.number, facts.zone or candidate.zone)
        if len(place.zones) != 1 and law.unknown_zone != EVERY_ZONE:
            place = Place(candidate.number, _taken(law.unknown_zone, place.zones))
    return Case(candidate=candidate, facts=facts, law=law, place=place, now=now)


def _taken(unknown_zone: str, possible: tuple[ZoneInfo, ...]) -> tuple[ZoneInfo, ...]:
    """Return the zone that the law takes, unless the number is known to lie elsewhere: then each that it can lie in."""
    zone = zone_called(unknown_zone)
    if zone is None:
        return ()
    return (zone,) if not possible or zone in possible else possible


def verdict(candidate: Candidate, facts: Facts, law: Law, now: datetime) -> Verdict:
    """Return whether he may be dialed now; a refusal has its reason, the rule and its figures, and until when."""
    case = case_of(candidate, facts, law, now)
    for check in CHECKS.values():
        refusal = check(case)
        if refusal is not None:
            return refusal
    return ALLOWED


def every_check(candidate: Candidate, facts: Facts, law: Law, now: datetime) -> Mapping[SkipReason, Verdict]:
    """Return each check's own answer, in the order in which they are asked."""
    case = case_of(candidate, facts, law, now)
    return {reason: check(case) or ALLOWED for reason, check in CHECKS.items()}


def _refused(reason: SkipReason, detail: str, *, until: datetime | None = None) -> Verdict:
    return Verdict(allowed=False, reason=reason, detail=detail, until=until)


def _stopped(case: Case) -> Verdict | None:
    at = case.facts.stopped_at
    return _refused(SkipReason.STOPPED, f"stopped on {at:%Y-%m-%d %H:%M} UTC") if at else None


def _do_not_call(case: Case) -> Verdict | None:
    counted = [
        entry
        for entry in case.facts.listed
        if (case.law.registers or not entry.is_register) and (entry.until is None or entry.until > case.now)
    ]
    if not counted:
        return None
    ends = [entry.until for entry in counted if entry.until is not None]
    first = next((entry for entry in counted if entry.until is None), counted[0])
    why = f" ({first.reason})" if first.reason else ""
    until = max(ends) if len(ends) == len(counted) else None
    return _refused(SkipReason.DO_NOT_CALL, f"{first.key} stands in the {first.where}{why}", until=until)


def _no_consent(case: Case) -> Verdict | None:
    if case.facts.consent == ConsentStanding.WITHDRAWN:
        return _refused(SkipReason.NO_CONSENT, "consent is withdrawn")
    if case.law.consent_needed and case.facts.consent != ConsentStanding.GIVEN:
        return _refused(SkipReason.NO_CONSENT, f"no consent is recorded ({case.law.name}: consent)")
    return None


def _attempts_total(case: Case) -> Verdict | None:
    limit, made = case.law.attempts_total, case.facts.attempts_total
    if limit is None or made < limit:
        return None
    detail = f"{made} of {limit} attempts in this campaign ({case.law.name}: attempts_total)"
    return _refused(SkipReason.ATTEMPTS_TOTAL, detail)


def _zone_unknown(case: Case) -> Verdict | None:
    if case.place.zones or not case.law.wants_zone:
        return None
    rule = f"({case.law.name}: unknown_zone = {REFUSE})" if case.law.unknown_zone == REFUSE else ""
    return _refused(SkipReason.ZONE_UNKNOWN, f"his time zone is not known {rule}".strip())


def _holiday(case: Case) -> Verdict | None:
    found = case.standing
    if found.is_open or found.holiday is None:
        return None
    detail = f"{found.holiday} in {found.zone} ({case.law.name}: holidays)"
    return _refused(SkipReason.HOLIDAY, detail, until=found.until)


def _outside_hours(case: Case) -> Verdict | None:
    found = case.standing
    if found.is_open or found.holiday is not None or found.local is None:
        return None
    allowed = f"allowed are {spans_text(found.spans)}" if found.spans else "the day is closed"
    detail = f"{found.local:%a %H:%M} in {found.zone}, {allowed} ({case.law.name}: hours)"
    return _refused(SkipReason.OUTSIDE_HOURS, detail, until=found.until)


def _attempts_today(case: Case) -> Verdict | None:
    """In each zone that he can be in: the limit must hold by every one's date."""
    limit = case.law.attempts_per_day
    if limit is None:
        return None
    ends, most = [], 0
    for zone in case.place.zones:
        today = case.now.astimezone(zone).date()
        made = sum(at.astimezone(zone).date() == today for at in case.facts.contact_attempts)
        if made >= limit:
            ends.append(next_date(zone, case.now))
            most = max(most, made)
    if not ends:
        return None
    detail = f"{most} of {limit} attempts today ({case.law.name}: attempts_per_day)"
    return _refused(SkipReason.ATTEMPTS_TODAY, detail, until=max(ends))


def _frequency(case: Case) -> Verdict | None:
    until, detail = None, ""
    for window in case.law.windows:
        since = case.now - timedelta(seconds=window.seconds)
        made = [at for at in case.facts.number_attempts if since < at <= case.now]
        if len(made) < window.calls:
            continue
        ends = made[window.calls - 1] + timedelta(seconds=window.seconds)
        if until is None or ends > until:
            until, detail = ends, f"{len(made)} attempts at this number; allowed are {window}"
    if until is None:
        return None
    return _refused(SkipReason.FREQUENCY, f"{detail} ({case.law.name}: windows)", until=until)


def _after_drop(case: Case) -> Verdict | None:
    pause, dropped = case.law.pause_after_drop_seconds, case.facts.last_drop_at
    if pause is None or dropped is None:
        return None
    until = dropped + timedelta(seconds=pause)
    if case.now >= until:
        return None
    detail = (
        f"dropped on {dropped:%Y-%m-%d %H:%M} UTC; {span_text(pause)} of pause"
        f" ({case.law.name}: pause_after_drop_seconds)"
    )
    return _refused(SkipReason.AFTER_DROP, detail, until=until)


CHECKS: Final[Mapping[SkipReason, Callable[[Case], Verdict | None]]] = {
    SkipReason.STOPPED: _stopped,
    SkipReason.DO_NOT_CALL: _do_not_call,
    SkipReason.NO_CONSENT: _no_consent,
    SkipReason.ATTEMPTS_TOTAL: _attempts_total,
    SkipReason.ZONE_UNKNOWN: _zone_unknown,
    SkipReason.HOLIDAY: _holiday,
    SkipReason.OUTSIDE_HOURS: _outside_hours,
    SkipReason.ATTEMPTS_TODAY: _attempts_today,
    SkipReason.FREQUENCY: _frequency,
    SkipReason.AFTER_DROP: _after_drop,
}
"""The checks in the order in which they are asked."""


def spans_text(spans: tuple[Span, ...]) -> str:
    """Return spans as they are written in a profile."""
    return ", ".join(str(span) for span in spans)
