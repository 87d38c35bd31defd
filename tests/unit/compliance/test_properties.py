"""What must hold whatever the zone, the season, the lists and the order of calls."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cti.compliance.checks import verdict
from cti.compliance.facts import Facts
from cti.compliance.gate import ComplianceGate
from cti.compliance.hours import DAY_NAMES, Calendar, Span
from cti.compliance.law import Law, Window
from cti.compliance.listings import NewListing
from cti.compliance.profiles import SHIPPED, load_profiles
from cti.model.calls import CallState, EndReason
from cti.model.campaign_rules import CampaignRules, ComplianceRules
from cti.model.ids import new_call_id
from cti.model.verdicts import SkipReason
from tests.builders import NOW, a_call, a_campaign, a_candidate, some_contacts
from tests.fakes.memory_store import MemoryStore

SHIPPED_PROFILES = load_profiles(SHIPPED)
JUST_BEFORE = timedelta(microseconds=1)
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
CHANGES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut",
                           "America/Santiago", "Africa/Casablanca", "America/St_Johns", "Pacific/Chatham"])  # fmt: skip


def moments_near_a_change(zone: str, year: int, wanted: int, minutes: int) -> datetime:
    """Return a moment some minutes from one of the year's changes of the zone's clock; else of its new year."""
    at = datetime(year, 1, 1, tzinfo=UTC)
    changes = []
    for day in range(366):
        begin = at + timedelta(days=day)
        if (
            begin.astimezone(ZoneInfo(zone)).utcoffset()
            != (begin + timedelta(days=1)).astimezone(ZoneInfo(zone)).utcoffset()
        ):
            changes.append(begin)
    return (changes[wanted % len(changes)] if changes else at) + timedelta(minutes=minutes)


@st.composite
def days(draw: st.DrawFn) -> tuple[Span, ...]:
    edges = sorted(draw(st.sets(st.integers(0, 1440), max_size=6)))
    return tuple(Span(opens, closes) for opens, closes in zip(edges[::2], edges[1::2], strict=False))


CALENDARS = st.builds(
    Calendar,
    week=st.tuples(*[days()] * 7),
    dates=st.frozensets(st.dates(NOW.date(), NOW.date() + timedelta(days=20)), max_size=4),
)
NEAR = st.builds(
    moments_near_a_change, CHANGES, st.integers(2020, 2030), st.integers(0, 3), st.integers(-2000, 3000)
)


def open_on_the_wall(calendar: Calendar, zone: str, at: datetime) -> bool:
    """Say it again in other words, from the wall clock alone."""
    assert calendar.week is not None
    local = at.astimezone(ZoneInfo(zone))
    minute = local.hour * 60 + local.minute
    within = any(span.opens <= minute < span.closes for span in calendar.week[local.weekday()])
    return within and local.date() not in calendar.dates


@given(calendar=CALENDARS, zone=ZONES, now=MOMENTS)
def test_nobody_is_called_outside_hours_in_any_zone(calendar: Calendar, zone: str, now: datetime) -> None:
    found = verdict(a_candidate(zone=zone), Facts(), Law(name="x", calendar=calendar), now)

    assert found.allowed is open_on_the_wall(calendar, zone, now)


@given(calendar=CALENDARS, zone=CHANGES, now=NEAR)
@settings(max_examples=300)
def test_until_is_honest_also_where_the_clock_changes(calendar: Calendar, zone: str, now: datetime) -> None:
    law, candidate = Law(name="x", calendar=calendar), a_candidate(zone=zone)

    found = verdict(candidate, Facts(), law, now)

    assert found.allowed is open_on_the_wall(calendar, zone, now)
    if found.until is not None:
        assert found.until > now
        assert verdict(candidate, Facts(), law, found.until).allowed
        assert not verdict(candidate, Facts(), law, found.until - JUST_BEFORE).allowed
        for part in range(1, 20):  # nor anywhere between
            between = now + (found.until - now) * part / 20
            assert not open_on_the_wall(calendar, zone, between) or between >= found.until
    elif not found.allowed:
        assert not any(calendar.week or ())


LAWS = st.builds(
    Law,
    name=st.just("x"),
    calendar=CALENDARS,
    attempts_per_day=st.none() | st.integers(1, 4),
    windows=st.lists(st.builds(Window, st.integers(1, 5), st.integers(1, 200_000)), max_size=3).map(tuple),
    pause_after_drop_seconds=st.none() | st.integers(1, 300_000),
)
AGES = st.lists(st.integers(0, 200_000), max_size=8)


@given(law=LAWS, zone=ZONES, now=MOMENTS, ages=AGES, dropped=st.none() | st.integers(0, 300_000))
def test_until_is_honest_for_every_reason(
    law: Law, zone: str, now: datetime, ages: list[int], dropped: int | None
) -> None:
    attempts = tuple(sorted((now - timedelta(seconds=age) for age in ages), reverse=True))
    facts = Facts(
        number_attempts=attempts,
        contact_attempts=attempts,
        last_drop_at=None if dropped is None else now - timedelta(seconds=dropped),
    )
    candidate = a_candidate(zone=zone)

    found = verdict(candidate, facts, law, now)

    assume(found.until is not None)
    assert found.until is not None
    assert found.until > now
    assert not verdict(candidate, facts, law, found.until - JUST_BEFORE).allowed
    assert verdict(candidate, facts, law, found.until).reason is not found.reason


@given(
    windows=st.lists(st.builds(Window, st.integers(1, 4), st.integers(1, 4000)), min_size=1, max_size=3),
    waits=st.lists(st.integers(0, 900), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_attempts_than_it_allows(windows: list[Window], waits: list[int]) -> None:
    law, candidate = Law(name="x", windows=tuple(windows)), a_candidate()
    dialed: list[datetime] = []
    now = NOW
    for wait in waits:
        now += timedelta(seconds=wait)
        if verdict(candidate, Facts(number_attempts=tuple(reversed(dialed))), law, now).allowed:
            dialed.append(now)

    for window in windows:
        for begin in dialed:
            end = begin + timedelta(seconds=window.seconds)
            assert sum(begin <= at < end for at in dialed) <= window.calls


@given(limit=st.integers(1, 4), zone=ZONES, waits=st.lists(st.integers(0, 30_000), min_size=1, max_size=60))
def test_no_local_day_ever_holds_more_attempts_than_it_allows(
    limit: int, zone: str, waits: list[int]
) -> None:
    law, candidate = Law(name="x", attempts_per_day=limit), a_candidate(zone=zone)
    dialed: list[datetime] = []
    now = NOW
    for wait in waits:
        now += timedelta(seconds=wait)
        if verdict(candidate, Facts(contact_attempts=tuple(reversed(dialed))), law, now).allowed:
            dialed.append(now)

    dates = [at.astimezone(ZoneInfo(zone)).date() for at in dialed]
    assert all(dates.count(date) <= limit for date in dates)


KEYS = st.integers(0, 39).map(lambda n: f"+49309{n:07d}") | st.sampled_from(
    ["+4930*", "+49309000000*", "+493090000001*", "+1*", "+49309000002*", "+86139*"]
)


@given(keys=st.lists(KEYS, max_size=6), batch=st.integers(1, 40))
@settings(max_examples=50, deadline=None)
async def test_a_number_that_is_listed_by_itself_or_by_its_beginning_is_never_let_through(
    keys: list[str], batch: int
) -> None:
    store = MemoryStore()
    campaign = await store.campaigns.add_campaign(a_campaign())
    await store.campaigns.add_list(
        campaign_id=campaign.id, name="a", source="", contacts=some_contacts(batch), at=NOW
    )
    await store.do_not_call.add([NewListing(key=key) for key in keys], by="anna", at=NOW)
    gate = ComplianceGate(store=store.compliance, profiles=load_profiles(SHIPPED))
    candidates = await store.campaigns.next_candidates(campaign.id, limit=batch)

    verdicts = await gate.ask(campaign, candidates, NOW)

    for candidate, found in zip(candidates, verdicts, strict=True):
        assert found.allowed is not is_listed(candidate.number, keys)
        assert found.allowed or found.reason is SkipReason.DO_NOT_CALL


def is_listed(number: str, keys: Sequence[str]) -> bool:
    return any(number.startswith(key[:-1]) if key.endswith("*") else number == key for key in keys)


@given(
    profile=st.sampled_from(["us", "uk", "cn", "none"]),
    number=st.sampled_from(
        ["+12125551234", "+13055551234", "+442079460018", "+8613912345678", "+18005551234"]
    ),
    now=MOMENTS,
)
def test_the_profiles_that_ship_never_allow_a_call_outside_their_hours(
    profile: str, number: str, now: datetime
) -> None:
    rules = CampaignRules(compliance=ComplianceRules(profile=profile))
    book = SHIPPED_PROFILES.rulebook(rules.compliance)
    law = replace(book.law(number), consent_needed=False)
    found = verdict(a_candidate(number=number), Facts(), law, now)

    keys = SHIPPED_PROFILES.get(profile).keys.hours
    if keys is not None and found.allowed:
        home = {"+1": "America/New_York", "+4": "Europe/London", "+8": "Asia/Shanghai"}[number[:2]]
        local = now.astimezone(ZoneInfo(home))
        texts = keys.every_day or getattr(keys, DAY_NAMES[local.weekday()])
        assert any(text[:5] <= f"{local:%H:%M}" < text[6:] for text in texts)


@given(
    waits=st.lists(st.integers(0, 400), min_size=1, max_size=25),
    crowd=st.integers(1, 4),
    ends=st.sampled_from([EndReason.RING_TIMEOUT, EndReason.NOT_SENT]),
)
@settings(max_examples=40, deadline=None)
async def test_who_asks_the_gate_before_each_call_never_calls_a_number_too_often(
    waits: list[int], crowd: int, ends: EndReason
) -> None:
    """Several contacts share one number; calls are stored as the engine stores them."""
    store = MemoryStore()
    gate = ComplianceGate(store=store.compliance, profiles=SHIPPED_PROFILES)
    rules = ComplianceRules(profile="cn", overrides={"hours": None, "consent": "not_needed"})
    campaign = a_campaign(rules=CampaignRules(compliance=rules))
    shared = [a_candidate(contact_id=n, number="+8613912345678") for n in range(crowd)]
    rung: list[datetime] = []
    now = NOW
    for wait in waits:
        now += timedelta(seconds=wait)
        verdicts = await gate.ask(campaign, shared, now)
        for candidate, found in zip(shared, verdicts, strict=True):
            if not found.allowed:
                assert found.until is not None
                assert found.until > now
                continue
            call = a_call(number=candidate.number, placed_at=now, id=new_call_id(now))
            await store.calls.place([(call, None)])
            ended = replace(call, state=CallState.ENDED, end_reason=ends, ended_at=now)
            await store.calls.save([ended])
            if ends is not EndReason.NOT_SENT:
                rung.append(now)

    windows = SHIPPED_PROFILES.rulebook(rules).base.windows
    for window in windows:
        for begin in rung:
            end = begin + timedelta(seconds=window.seconds)
            assert sum(begin <= at < end for at in rung) <= window.calls
