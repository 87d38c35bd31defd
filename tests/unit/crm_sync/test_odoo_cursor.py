"""Nothing that changed is passed over, however many changes fall into one second."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_sync.odoo.cursor import Place, following, place_of
from cti.errors import BadInput

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OVERLAP = timedelta(minutes=5)


class Leads:
    """A table whose times are exact within and whole seconds without, as Odoo's are."""

    def __init__(self, changes: dict[int, datetime]) -> None:
        self.changes = changes

    def page(self, place: Place, limit: int) -> list[dict[str, Any]]:
        rows = [(at, one) for one, at in self.changes.items() if self._after(place, at, one)]
        rows.sort()
        if place.order == "id":
            rows.sort(key=lambda row: row[1])
        return [{"id": one, "write_date": at.strftime("%Y-%m-%d %H:%M:%S")} for at, one in rows[:limit]]

    @staticmethod
    def _after(place: Place, at: datetime, one: int) -> bool:
        if place.second is None:
            return True
        if place.after_id is None:
            return at >= place.second
        return place.second <= at < place.second + timedelta(seconds=1) and one > place.after_id


def pulled(leads: Leads, cursor: str, limit: int) -> tuple[set[int], str]:
    found: set[int] = set()
    for _ in range(500):
        rows = leads.page(place := place_of(cursor), limit)
        found |= {row["id"] for row in rows}
        after, more = following(place, rows, limit=limit, overlap=OVERLAP)
        cursor = str(after)
        if not more:
            return found, cursor
    raise AssertionError(f"no end at {cursor}")


@settings(max_examples=200)
@given(
    st.lists(st.integers(0, 4_000_000), max_size=60),
    st.integers(1, 7),
    st.integers(0, 2**16),
)
def test_all_come_with_any_size_of_page(micros: list[int], limit: int, seed: int) -> None:
    ids = list(range(1, len(micros) + 1))
    random.Random(seed).shuffle(ids)
    changes = {one: BEGIN + timedelta(microseconds=at) for one, at in zip(ids, micros, strict=True)}
    leads = Leads(changes)

    found, cursor = pulled(leads, "", limit)
    assert found == set(ids)

    leads.changes[1000] = BEGIN - timedelta(minutes=4)  # it began earlier and was committed only now
    if ids:
        assert 1000 in pulled(leads, cursor, limit)[0]


def test_a_thousand_of_one_instant_come_page_by_page() -> None:
    leads = Leads(dict.fromkeys(range(1, 1001), BEGIN) | {2000: BEGIN + timedelta(hours=1)})

    assert pulled(leads, "", 100)[0] == {*range(1, 1001), 2000}


def test_without_changes_the_cursor_stays() -> None:
    assert pulled(Leads({}), "", 10) == (set(), "")
    _, cursor = pulled(Leads({1: BEGIN}), "", 10)
    assert cursor == "2026-11-23 08:55:00"
    assert pulled(Leads({}), cursor, 10) == (set(), cursor)


@pytest.mark.parametrize(
    "text", ["x", "2026-13-01 00:00:00", "2026-11-23 09:00:00/x", "1; drop", "2026-11-23 09:00:00/1+"]
)
def test_a_cursor_of_somebody_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        place_of(text)


@pytest.mark.parametrize(
    "text", ["", "2026-11-23 09:00:00", "2026-11-23 09:00:00/17", "2026-11-23 09:00:00+"]
)
def test_a_cursor_reads_as_it_was_written(text: str) -> None:
    assert str(place_of(text)) == text
