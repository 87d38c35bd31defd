"""Each row of a batch has an answer of its own, whatever `load` says of the whole."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm_sync.odoo.load import load
from crm_sync.port import CrmError
from cti.model.crm import Answer

Rows = Sequence[Sequence[str]]


class Table:
    """Loads rows as Odoo does: all, or none and messages."""

    def __init__(self, say: Callable[[Sequence[str], Rows], Any]) -> None:
        self._say = say
        self.loads: list[tuple[tuple[str, ...], Rows]] = []

    async def call(self, model: str, method: str, **arguments: Any) -> Any:
        assert (model, method) == ("m", "load")
        self.loads.append((tuple(arguments["fields"]), arguments["data"]))
        return self._say(arguments["fields"], arguments["data"])


def taken(rows: Rows) -> dict[str, Any]:
    return {"ids": [int(row[0]) for row in rows], "messages": []}


def refused(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"ids": False, "messages": [{"type": "error", **one} for one in messages]}


def unreadable(_: Sequence[str], rows: Rows) -> dict[str, Any]:
    """Refuse as for a value that cannot be read: the row is named."""
    bad = [
        {"record": n, "field": "x", "field_name": "X", "message": "no"}
        for n, row in enumerate(rows)
        if row[1] == "bad"
    ]
    return refused(*bad) if bad else taken(rows)


def unwritable(_: Sequence[str], rows: Rows) -> dict[str, Any]:
    """Refuse as for a failure while writing: the first row is named, whichever it was."""
    return refused({"record": 0, "message": "no"}) if any(row[1] == "bad" for row in rows) else taken(rows)


def failing(_: Sequence[str], rows: Rows) -> dict[str, Any]:
    if any(row[1] == "bad" for row in rows):
        raise CrmError(Answer.PERMANENT, "no")
    return taken(rows)


@given(st.lists(st.booleans(), max_size=20), st.sampled_from([unreadable, unwritable, failing]))
async def test_good_rows_are_taken_and_bad_ones_refused(good: list[bool], say: Any) -> None:
    rows = [{"id": str(n + 1), "x": "good" if one else "bad"} for n, one in enumerate(good)]

    answers = await load(Table(say), "m", rows, context={})

    assert [one.id for one in answers] == [n + 1 if one else None for n, one in enumerate(good)]
    assert all(
        one.answer is (Answer.OK if fine else Answer.PERMANENT)
        for one, fine in zip(answers, good, strict=True)
    )


async def test_a_value_that_cannot_be_read_costs_one_more_request() -> None:
    table = Table(unreadable)
    rows = [{"id": str(n), "x": "bad" if n in (30, 60) else "good"} for n in range(1, 101)]

    await load(table, "m", rows, context={})

    assert [len(data) for _, data in table.loads] == [100, 98]


async def test_rows_of_other_columns_are_loaded_apart_so_that_nothing_is_cleared() -> None:
    table = Table(lambda _, rows: taken(rows))
    rows = [{"id": "1", "x": "a"}, {"id": "2"}, {"id": "3", "x": "b"}]

    answers = await load(table, "m", rows, context={})

    assert [one.id for one in answers] == [1, 2, 3]
    assert table.loads == [(("id", "x"), [["1", "a"], ["3", "b"]]), (("id",), [["2"]])]


async def test_what_is_no_rows_fault_is_asked_once_and_holds_for_all() -> None:
    def away(_: Sequence[str], rows: Rows) -> Any:
        raise CrmError(Answer.THROTTLE, "later", pause_seconds=7)

    table = Table(away)

    answers = await load(table, "m", [{"id": "1"}, {"id": "2"}], context={})

    assert [(one.answer, one.pause_seconds) for one in answers] == [(Answer.THROTTLE, 7)] * 2
    assert len(table.loads) == 1


async def test_a_row_of_ours_that_is_gone_is_deleted() -> None:
    gone = refused({"record": 0, "field": ".id", "message": "Unknown database identifier '1'"})

    (answer,) = await load(Table(lambda *_: gone), "m", [{".id": "1"}], context={})

    assert answer.answer is Answer.DELETED


async def test_an_answer_that_says_nothing_is_no_success() -> None:
    for said in (None, {}, {"ids": []}, {"ids": [False]}, {"ids": [1, 2]}, {"ids": False, "messages": []}):

        def say(*_: Any, said: Any = said) -> Any:
            return said

        (answer,) = await load(Table(say), "m", [{"id": "1"}], context={})
        assert answer.answer is Answer.RETRY
