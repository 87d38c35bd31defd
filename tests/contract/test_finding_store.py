"""Contacts are found and changed alike in memory, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti.contacts.changes import Change, change_of
from cti.contacts.conditions import condition_of
from cti.contacts.fields import BELONGS, CUSTOM, FIELDS, OPERATORS, Kind
from cti.contacts.settling import settled
from cti.errors import NotFound
from cti.model.conditions import Op, Scope
from cti.model.contact_rows import After, ContactQuery, Sort
from cti.model.queries import CallFilter
from cti.storage.database import open_database
from tests.builders import NOW, later
from tests.contract.conftest import Store
from tests.contract.crowd import (
    CAMPAIGNS,
    CITIES,
    DISPOSITIONS,
    HEADERS,
    LOGINS,
    NAMES,
    REASONS,
    STAGES,
    TAGS,
    ZONES,
    Crowd,
    a_crowd,
)
from tests.contract.people import a_stored_agent, a_stored_campaign
from tests.fakes.memory_store import MemoryStore

WORDS = (
    *STAGES,
    *ZONES,
    *REASONS,
    *DISPOSITIONS,
    "c-1",
    "k1",
    "given",
    "pending",
    "done",
    "waiting",
    "busy",
    "connected",
    "ended",
    "hung_up",
    "customer",
    "pbx",
    "carrier",
)
TEXTS = (*NAMES, *CITIES, "a", "A", "50%", "_", "\\", "ä", "User", "in line", "silent", ".wav")
TIMES = (
    "now",
    "today",
    "yesterday",
    "2026-11-23",
    "2026-11-23T10:00",
    "2026-11-22T23:30:00+01:00",
    "2026-10-25",
)
SPANS = ("today", "yesterday", "this week", "last month", "last 7 days", "last 30 hours", "next 2 days")

VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: st.sampled_from(TEXTS)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=3),
    Kind.WORD: st.sampled_from(WORDS),
    Kind.PHONE: st.integers(30_000, 30_060).map(lambda n: f"+49{n}"),
    Kind.AGENT: st.sampled_from((*LOGINS, "me")),
    Kind.CAMPAIGN: st.sampled_from(CAMPAIGNS),
    Kind.WHOLE: st.integers(-3, 60) | st.sampled_from((16, 486, 2**31 - 1)),
    Kind.NUMBER: st.sampled_from((0, 0.1, 0.25, 1.25, 30, 61.25, 50.5, -3, 1e9, 10**12)),
    Kind.TIME: st.sampled_from(TIMES),
    Kind.TAG: st.sampled_from((*TAGS, "none")),
}


def asked(scope: Scope) -> st.SearchStrategy[dict[str, Any]]:
    """Make tests of one field."""
    named = [(name, field.kind) for name, field in FIELDS[scope].items()]
    if scope is Scope.CONTACT:
        named += [(f"{CUSTOM}:{header}", Kind.TEXT) for header in HEADERS]
    return st.sampled_from(named).flatmap(lambda one: _test_of(*one))


def _test_of(name: str, kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    def with_op(op: Op) -> st.SearchStrategy[dict[str, Any]]:
        one = VALUES[kind]
        value: st.SearchStrategy[Any] = one
        if op is Op.EMPTY:
            value = st.booleans()
        elif op is Op.ONE_OF:
            value = st.lists(one, min_size=1, max_size=3)
        elif op is Op.WITHIN:
            value = st.sampled_from(SPANS) | st.lists(one, min_size=2, max_size=2)
        elif op in (Op.STARTS_WITH, Op.ENDS_WITH) and kind is Kind.PHONE:
            value = st.sampled_from(("4", "49300", "+4930", "05", "1", "30051"))
            if op is Op.ENDS_WITH:
                value = value.map(lambda digits: digits.removeprefix("+"))
        return value.map(lambda given: {"field": name, op.value: given})

    return st.sampled_from(OPERATORS[kind]).flatmap(with_op)


def conditions(scope: Scope, above: tuple[Scope, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """Make conditions of any shape."""
    groups = [
        conditions(inner, (*above, scope)).map(lambda part, inner=inner: {inner.value: part})
        for inner in BELONGS[scope]
        if inner not in above
    ]
    leaves = st.one_of(asked(scope), *groups) if groups else asked(scope)
    return st.recursive(
        leaves,
        lambda parts: st.one_of(
            st.lists(parts, max_size=3).map(lambda some: {"all": some}),
            st.lists(parts, max_size=3).map(lambda some: {"any": some}),
            parts.map(lambda part: {"not": part}),
        ),
        max_leaves=5,
    )


class Stores:
    """The three stores with the same crowd, and the loop they live in."""

    def __init__(self, runner: asyncio.Runner, places: dict[str, tuple[Any, Crowd]]) -> None:
        self._runner = runner
        self._places = places

    def found(self, given: Any, scope: Scope) -> dict[str, tuple[list[Any], int]]:
        """Return, by store, which rows a condition finds, and how many it counts."""
        return {
            name: self._runner.run(self._found(*place, given, scope)) for name, place in self._places.items()
        }

    async def _found(self, store: Any, crowd: Crowd, given: Any, scope: Scope) -> tuple[list[Any], int]:
        condition = settled(condition_of(_own(given, crowd, scope), scope=scope), crowd.viewer, scope=scope)
        counted = await store.finding.count(condition, scope)
        if scope is Scope.CALL:
            rows = await store.facts.call_rows(CallFilter(condition=condition))
            return [row.call.id for row in rows], counted
        contacts = await store.finding.contacts(ContactQuery(condition=condition, limit=1000))
        return [crowd.number_of(row.id) for row in contacts], counted


def _own(given: Any, crowd: Crowd, scope: Scope) -> Any:
    """Replace numbers of contacts and lists by the store's own ids."""
    if isinstance(given, list):
        return [_own(part, crowd, scope) for part in given]
    if "field" not in given:
        inner = {key: Scope(key) if key in list(Scope) else scope for key in given}
        return {key: _own(part, crowd, inner[key]) for key, part in given.items()}
    ids: tuple[int, ...] = ()
    if given["field"] == "list":
        ids = crowd.lists
    elif (scope, given["field"]) in ((Scope.CONTACT, "id"), (Scope.CALL, "contact_id")):
        ids = crowd.contacts
    return {key: _mapped(value, ids) if ids else value for key, value in given.items()}


def _mapped(value: Any, ids: tuple[int, ...]) -> Any:
    if isinstance(value, list):
        return [_mapped(one, ids) for one in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return ids[value] if 0 <= value < len(ids) else -1 if value < 0 else 2**31 - 1


@pytest.fixture(scope="module")
def crowds(
    sqlite_template: Any, postgres_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stores]:
    """Give the three stores, filled once."""
    folder = tmp_path_factory.mktemp("crowd")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def fill() -> dict[str, tuple[Any, Crowd]]:
            stores: dict[str, Any] = {"memory": MemoryStore()}
            for name, url in (
                ("sqlite", f"sqlite:///{folder}/waihu.db"),
                ("postgres", postgres_server.make_database("waihu_crowd")),
            ):
                stores[name] = await stack.enter_async_context(open_database(url))
            return {name: (store, await a_crowd(store)) for name, store in stores.items()}

        places = runner.run(fill())
        yield Stores(runner, places)
        runner.run(stack.aclose())


@pytest.mark.postgres
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_condition=conditions(Scope.CONTACT))
def test_every_condition_over_contacts_means_the_same_in_each_store(
    crowds: Stores, given_condition: dict[str, Any]
) -> None:
    found = crowds.found(given_condition, Scope.CONTACT)

    assert found["sqlite"] == found["memory"]
    assert found["postgres"] == found["memory"]
    assert len(found["memory"][0]) == found["memory"][1]


@pytest.mark.postgres
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(given_condition=conditions(Scope.CALL))
def test_every_condition_over_calls_means_the_same_in_each_store(
    crowds: Stores, given_condition: dict[str, Any]
) -> None:
    found = crowds.found(given_condition, Scope.CALL)

    assert found["sqlite"] == found["memory"]
    assert found["postgres"] == found["memory"]
    assert len(found["memory"][0]) == found["memory"][1]


@pytest.mark.postgres
@pytest.mark.parametrize("scope", [Scope.CONTACT, Scope.CALL])
def test_a_condition_and_its_opposite_part_everybody(crowds: Stores, scope: Scope) -> None:
    everybody = sorted(crowds.found({}, scope)["memory"][0])
    for name, field in FIELDS[scope].items():
        asked_of = (
            {"field": name, "empty": True}
            if field.kind is not Kind.TIME
            else {"field": name, "before": "now"}
        )
        for store, (rows, _) in crowds.found(asked_of, scope).items():
            others = crowds.found({"not": asked_of}, scope)[store][0]
            assert sorted(rows + others) == everybody, (name, store)


@pytest.mark.parametrize("sort", list(Sort))
async def test_pages_bring_every_contact_once_in_the_order_asked_for(store: Store, sort: Sort) -> None:
    crowd = await a_crowd(store, count=24)
    whole = await store.finding.contacts(ContactQuery(sort=sort, limit=1000))
    assert sorted(row.id for row in whole) == sorted(crowd.contacts)

    pages, after = [], None
    while page := await store.finding.contacts(ContactQuery(sort=sort, limit=5, after=after)):
        pages += page
        after = After.of(page[-1], sort)

    assert [row.id for row in pages] == [row.id for row in whole]


async def test_who_has_no_value_comes_last_whatever_the_direction(store: Store) -> None:
    await a_crowd(store, count=24)
    for sort in (Sort.SCORE, Sort.SCORE_DOWN):
        scores = [row.score for row in await store.finding.contacts(ContactQuery(sort=sort))]
        known = [score for score in scores if score is not None]
        assert scores == sorted(known, reverse=sort is Sort.SCORE_DOWN) + [None] * (len(scores) - len(known))


async def test_a_contact_is_told_with_numbers_tags_owner_and_fields(store: Store) -> None:
    await a_stored_campaign(store, contacts=1)
    agent_id = await a_stored_agent(store)
    (row,) = await store.finding.contacts(ContactQuery())
    change = Change(contact={"owner_agent_id": (None, agent_id)}, tags_added=("vip", "a"))
    await store.finding.change(row.id, lambda _: change, kind="edit", by="lead", at=NOW)

    (row,) = await store.finding.contacts(ContactQuery())

    assert (row.name, row.owner, row.tags) == ("Contact 0", "anna", ("a", "vip"))
    assert [(number.e164, number.position) for number in row.numbers] == [("+493090000000", 0)]
    assert row.created_at == NOW


async def test_a_change_is_kept_with_what_was_before(store: Store) -> None:
    await a_stored_campaign(store, contacts=1)
    (row,) = await store.finding.contacts(ContactQuery())
    change = Change(
        contact={"stage": (None, "won"), "next_follow_up_at": (None, later(60))}, tags_added=("vip",)
    )

    await store.finding.change(row.id, lambda subject: change, kind="edit", by="anna", at=later(5))

    (kept,) = await store.finding.changes(row.id, limit=10)
    assert change_of(kept.change) == change
    assert (kept.kind, kept.by, kept.at, kept.bulk_id) == ("edit", "anna", later(5), None)
    (row,) = await store.finding.contacts(ContactQuery())
    assert (row.stage, row.next_follow_up_at, row.changed_at) == ("won", later(60), later(5))


async def test_a_change_of_nothing_leaves_no_trace(store: Store) -> None:
    await a_stored_campaign(store, contacts=1)
    (row,) = await store.finding.contacts(ContactQuery())

    await store.finding.change(row.id, lambda _: Change(), kind="edit", by="anna", at=later(5))

    assert await store.finding.changes(row.id, limit=10) == []
    assert (await store.finding.contacts(ContactQuery()))[0].changed_at is None


async def test_a_contact_that_is_not_there_cannot_be_changed(store: Store) -> None:
    with pytest.raises(NotFound, match="17"):
        await store.finding.change(17, lambda _: Change(), kind="edit", by="x", at=NOW)


async def test_a_contact_tells_where_he_stands(store: Store) -> None:
    await a_stored_campaign(store, contacts=1)
    (row,) = await store.finding.contacts(ContactQuery())

    (entry,) = await store.finding.entries(row.id)

    assert (entry.list, entry.campaign, entry.state, entry.tries) == ("first", "autumn", "pending", 0)


async def test_tags_are_counted(store: Store) -> None:
    await a_stored_campaign(store, contacts=2)
    for row in await store.finding.contacts(ContactQuery()):
        tags = ("vip", "b") if row.name == "Contact 0" else ("vip",)
        await store.finding.change(row.id, lambda _, t=tags: Change(tags_added=t), kind="tag", by="x", at=NOW)

    assert list(await store.finding.tags()) == [("b", 1), ("vip", 2)]


async def test_a_note_is_a_row_of_history_and_changes_nothing_else(store: Store) -> None:
    await a_stored_campaign(store, contacts=1)
    (row,) = await store.finding.contacts(ContactQuery())

    await store.finding.change(row.id, lambda _: Change(note="wants 王"), kind="note", by="anna", at=later(5))

    (kept,) = await store.finding.changes(row.id, limit=10)
    assert (kept.kind, kept.by, change_of(kept.change)) == ("note", "anna", Change(note="wants 王"))
    (after,) = await store.finding.contacts(ContactQuery())
    assert (after.stage, after.tags, after.changed_at) == (row.stage, row.tags, later(5))
