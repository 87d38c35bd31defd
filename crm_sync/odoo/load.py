"""Writes rows by `load`, the import of Odoo: an upsert by external id, many rows in one transaction.

One bad row refuses them all, with status 200. Which row it was is told for values that could not be read, and then the
others are loaded again without it; else the rows are halved until each has an answer of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from crm_sync.odoo.answers import answer_of_row
from crm_sync.port import CrmError
from crm_sync.requests import plain
from cti.model.crm import Answer

Cells = Mapping[str, str]
"""A row, by column. Columns are fields; `id` is an external id, `.id` one of the database, `x/.id` a record's."""
EMPTY: Final = ""
"""What `load` takes for nothing: it clears a field."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a row."""

    answer: Answer
    id: int | None = None
    message: str = ""
    field: str = ""
    """The column that was refused, "" when that is not known."""
    pause_seconds: float | None = None
    left: frozenset[str] = frozenset()
    """Fields that were not in the row, for a person changed them there."""


class Calls(Protocol):
    """What is needed of a transport."""

    async def call(self, model: str, method: str, **arguments: Any) -> Any: ...


async def load(odoo: Calls, model: str, rows: Sequence[Cells], *, context: Mapping[str, Any]) -> list[Loaded]:
    """Load the rows; one answer for each, in order. Never raises for what Odoo did.

    Rows with the same columns go together: a column that a row does not have must not be cleared by it.
    """
    alike: dict[tuple[str, ...], list[int]] = {}
    for n, row in enumerate(rows):
        alike.setdefault(tuple(row), []).append(n)
    answers: dict[int, Loaded] = {}
    for columns, numbers in alike.items():
        # a row that a person archived is there still
        known = {**context, "active_test": False} if ".id" in columns else context
        await _Loader(odoo, model, rows, known, answers).load(columns, numbers)
    return [answers[n] for n in range(len(rows))]


@dataclass(frozen=True, slots=True)
class _Loader:
    odoo: Calls
    model: str
    rows: Sequence[Cells]
    context: Mapping[str, Any]
    answers: dict[int, Loaded]

    async def load(self, columns: tuple[str, ...], numbers: Sequence[int]) -> None:
        if not numbers:
            return
        table = [[self.rows[n][column] for column in columns] for n in numbers]
        try:
            said = await self.odoo.call(
                self.model, "load", fields=list(columns), data=table, context=self.context
            )
        except CrmError as error:
            await self._failed(columns, numbers, error)
            return
        ids, messages = _told(said)
        if ids is not None and len(ids) == len(numbers):
            self.answers.update({n: Loaded(Answer.OK, id=one) for n, one in zip(numbers, ids, strict=True)})
        elif bad := _unreadable(messages, len(numbers)):
            self.answers.update({numbers[at]: answer for at, answer in bad.items()})
            await self.load(columns, [n for at, n in enumerate(numbers) if at not in bad])
        elif len(numbers) > 1:
            await self._halve(columns, numbers)
        else:
            self.answers[numbers[0]] = _of_messages(messages)

    async def _failed(self, columns: tuple[str, ...], numbers: Sequence[int], error: CrmError) -> None:
        """Halve what may be the fault of one row; what is nobody's fault holds for all."""
        if error.answer in (Answer.PERMANENT, Answer.RETRY, Answer.DELETED) and len(numbers) > 1:
            await self._halve(columns, numbers)
            return
        # `load` gives a missing row of its own as a message; an exception is about some other record
        answer = Answer.PERMANENT if error.answer is Answer.DELETED else error.answer
        for n in numbers:
            self.answers[n] = Loaded(answer, message=str(error), pause_seconds=error.pause_seconds)

    async def _halve(self, columns: tuple[str, ...], numbers: Sequence[int]) -> None:
        middle = len(numbers) // 2
        await self.load(columns, numbers[:middle])
        await self.load(columns, numbers[middle:])


def _told(said: Any) -> tuple[list[int] | None, list[dict[str, Any]]]:
    if not isinstance(said, dict):
        return None, []
    ids, messages = said.get("ids"), said.get("messages")
    good = isinstance(ids, list) and all(isinstance(one, int) and one is not False for one in ids)
    found = messages if isinstance(messages, list) else []
    return (ids if good else None), [
        one for one in found if isinstance(one, dict) and one.get("type") == "error"
    ]


def _unreadable(messages: Sequence[Mapping[str, Any]], count: int) -> dict[int, Loaded]:
    """Return what is said of values that could not be read, by the row's place.

    Only these name their row reliably: a failure while writing is told of the first row of the batch too.
    """
    found: dict[int, Loaded] = {}
    for one in messages:
        at, field = one.get("record"), one.get("field")
        surely = "field_name" in one or field == ".id"
        if surely and isinstance(at, int) and 0 <= at < count and at not in found:
            found[at] = _of_message(one)
    return found


def _of_messages(messages: Sequence[Mapping[str, Any]]) -> Loaded:
    if not messages:
        return Loaded(Answer.RETRY, message="load gave neither an id nor a reason")
    return _of_message(messages[0])


def _of_message(one: Mapping[str, Any]) -> Loaded:
    text, field = str(one.get("message") or "refused"), one.get("field")
    named = field if isinstance(field, str) else ""
    said = f"{named}: {text}" if named else text
    return Loaded(answer_of_row(text, named), message=plain(said), field=named)
