"""Pages by the time of the last change."""

import random
from collections.abc import Sequence

import pytest

from crm_sync.keyset import Place, Row, cursor_of, next_page, place_of
from crm_sync.port import CrmError


class Records:
    """Records with times; ties come in any order, as searches give them."""

    def __init__(self, times: dict[str, int]) -> None:
        self.times = times
        self.hidden: set[str] = set()

    async def since(self, at: int | None, limit: int) -> Sequence[Row[str]]:
        found = [one for one in self._seen() if at is None or one.at >= at]
        random.Random(len(found)).shuffle(found)
        return sorted(found, key=lambda one: one.at)[:limit]

    async def at(self, at: int, behind: str, limit: int) -> Sequence[Row[str]]:
        found = [one for one in self._seen() if one.at == at and one.id > behind]
        return sorted(found, key=lambda one: one.id)[:limit]

    def _seen(self) -> list[Row[str]]:
        return [Row(at, one, one) for one, at in self.times.items() if one not in self.hidden]


async def every(records: Records, place: Place, *, limit: int, overlap: int = 0) -> tuple[set[str], Place]:
    found: set[str] = set()
    for _ in range(1000):
        page = await next_page(records, place, limit=limit, overlap=overlap)
        assert len(page.rows) <= limit
        found |= {one.id for one in page.rows}
        place = place_of(cursor_of(page.place))
        if not page.more:
            return found, place
    raise AssertionError("it never ends")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("times", [[], [5], [1, 2, 3], [4] * 9, [1, 4, 4, 4, 4, 9, 9, 9], [0, 0, 0, 7]])
async def test_every_record_comes(times: list[int], limit: int) -> None:
    records = Records({f"r{n:02d}": at for n, at in enumerate(times)})

    found, _ = await every(records, Place(), limit=limit)

    assert found == set(records.times)


async def test_records_that_change_meanwhile_push_none_out() -> None:
    records = Records({f"r{n:02d}": n for n in range(20)})
    page = await next_page(records, Place(), limit=5, overlap=0)
    seen = {one.id for one in page.rows}
    for n in range(4):
        records.times[f"r{n:02d}"] = 100 + n  # by offset, four others would be left out now

    rest, _ = await every(records, page.place, limit=5)

    assert seen | rest == set(records.times)


@pytest.mark.parametrize("limit", [2, 50])
@pytest.mark.parametrize("times", [[1, 2, 10, 10, 10], [10] * 6, [1, 2, 3, 10]])
async def test_what_the_search_hears_of_late_comes_the_next_time(times: list[int], limit: int) -> None:
    records = Records({f"r{n:02d}": at for n, at in enumerate(times)})
    late = max(records.times)
    records.hidden = {late}
    _, place = await every(records, Place(), limit=limit, overlap=3)
    records.hidden = set()

    found, _ = await every(records, place, limit=limit, overlap=3)

    assert late in found


async def test_what_is_heard_of_late_and_changed_before_the_last_one_comes_too() -> None:
    records = Records({"a": 1, "b": 8, "c": 10})
    records.hidden = {"b"}
    _, place = await every(records, Place(), limit=5, overlap=3)
    records.hidden = set()

    assert "b" in (await every(records, place, limit=5, overlap=3))[0]


async def test_a_poll_that_finds_nothing_does_not_go_further_back() -> None:
    records = Records({})
    _, place = await every(records, Place(at=50), limit=5, overlap=10)
    assert place == Place(at=50)


@pytest.mark.parametrize(
    "place", [Place(), Place(at=3), Place(at=3, behind="x"), Place(at=3, after_ties=True)]
)
def test_a_cursor_is_read_as_it_was_written(place: Place) -> None:
    assert place_of(cursor_of(place)) == place


@pytest.mark.parametrize("cursor", ["x", "[]", "{}", '["a"]', "[1, 2, 3]", "[[[["])
def test_an_alien_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(CrmError, match="no cursor"):
        place_of(cursor)


class Deaf(Records):
    """Gives all records of a time whatever they are asked to be behind."""

    async def at(self, at: int, behind: str, limit: int) -> Sequence[Row[str]]:
        return await super().at(at, "", limit)


async def test_a_crm_that_gives_the_same_page_again_is_not_asked_for_ever() -> None:
    with pytest.raises(CrmError, match="no end in sight"):
        await every(Deaf({f"r{n}": 5 for n in range(6)}), Place(), limit=2)
