"""Next calls as the tables of the generic adapter say. Each bears its key, by which it is found again."""

from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from crm_sync.port import CrmError, RecordRef
from crm_sync.requests import at_path
from crm_sync.rest.asking import RestAsker
from crm_sync.rest.questions import Question, question_of
from crm_sync.rest.read_tables import AskTable, FollowUpsTable, MoreTable
from crm_sync.rest.records import holds, id_of
from crm_sync.template import Template, render, template_of
from cti.errors import BadInput, SettingsError
from cti.model.crm import Answer

KEY_LENGTH: Final = 100
KEY: Final = frozenset({"key", "key_uuid"})
FIND: Final = KEY | {"mark", "home", "home_kind"}
NEW: Final = FIND | {"at", "user", "text"}
THERE: Final = NEW | {"id"}
KEYS: Final = UUID("5f0f4f63-7c1d-4f0e-9d0a-6f1b3f6a2c55")
"""Of this and a key the id is made under which a follow-up may stand."""
ANY: Final = ""
"""Stands for all kinds of record, where the tables name none."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A follow-up of ours as it stands there."""

    id: str
    ended: bool


class RestFollowUps:
    """Sets, moves and ends them. Methods raise CrmError."""

    def __init__(self, asker: RestAsker, table: FollowUpsTable, *, where: str) -> None:
        """Raises SettingsError: file, key, and what is wrong."""
        self._asker = asker
        self._table = table
        homes = {kind: MoreTable(body=body) for kind, body in table.homes.items()}
        self._find = question_of(table.find, names=FIND, where=f"{where}.find")
        self._holds = _text(table.find.holds, KEY, f"{where}.find.holds")
        self._create = _by_kind(table.create, homes, NEW, f"{where}.create")
        self._change = _by_kind(table.change, homes, THERE, f"{where}.change")
        ends = (("done", table.done), ("cancel", table.cancel))
        self._ends = {
            name: question_of(one, names=THERE, where=f"{where}.{name}") for name, one in ends if one
        }
        for question in (*self._change.values(), *self._ends.values()):
            if "id" not in question.names:
                raise SettingsError(f"{question.where}: no text of it names {{id}}")

    @property
    def ends(self) -> bool:
        """Whether there are tables for both ends."""
        return len(self._ends) == 2

    async def set(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        """Have the record's next call stand there; the same key again moves it.

        It is looked for first, so that one whose answer was lost makes no double.
        """
        values = self._values(ref, key) | {"at": at, "user": user, "text": " ".join(text.split())}
        create, change = self._of_kind(self._create, ref), self._of_kind(self._change, ref)
        found = await self._found(values)
        if found is not None:
            if not (stands and found.ended):
                await self._ask(change, values | {"id": found.id}, gone=Answer.RETRY)
            return RecordRef(self._table.kind, found.id)
        said = await self._ask(create, values, gone=Answer.PERMANENT)
        if self._table.id:
            return RecordRef(self._table.kind, id_of(said, self._table.id, ".+"))
        if (found := await self._found(values)) is None:
            raise CrmError(Answer.UNKNOWN, "the follow-up was made, and is not found")
        return RecordRef(self._table.kind, found.id)

    async def end(self, ref: RecordRef, *, key: str, done: bool) -> None:
        """End it; one that people have done before stays as it is, one that is not there is as good as ended."""
        values = self._values(ref, key)
        found = await self._found(values)
        if found is None or found.ended:
            return
        question = self._ends.get("done" if done else "cancel")
        if question is None:
            raise CrmError(Answer.PERMANENT, "no table says how a follow-up ends")
        try:
            await self._ask(question, values | {"id": found.id}, gone=Answer.DELETED)
        except CrmError as error:
            if error.answer is not Answer.DELETED:
                raise

    async def _found(self, values: Map[str, Any]) -> _Found | None:
        """Return the one with this key; of doubles that of the smallest id, so that it is the same each time."""
        table = self._table.find
        rows = await self._asker.known(table, self._find, values)
        wanted = render(self._holds, values)
        marked = [
            _Found(
                id_of(row, table.id, ".+"),
                table.ended is not None and holds(row, table.ended),
            )
            for row in rows
            if wanted in str(at_path(row, table.mark) or "")
        ]
        return min(marked, key=lambda one: (len(one.id), one.id), default=None)

    async def _ask(self, question: Question, values: Map[str, Any], *, gone: Answer) -> Any:
        """Ask; `gone`: what it means that something of it is not there."""
        try:
            return (await self._asker.answer_to(question, values)).json
        except CrmError as error:
            if error.answer is Answer.DELETED:
                raise CrmError(gone, str(error)) from None
            raise

    def _values(self, ref: RecordRef, key: str) -> dict[str, Any]:
        if not key or len(key) > KEY_LENGTH:
            raise CrmError(Answer.PERMANENT, f"a follow-up's key has 1 to {KEY_LENGTH} characters")
        return {
            "key": key,
            "key_uuid": str(uuid5(KEYS, key)),
            "mark": f"[cti:{key}]",
            "home": ref.id,
            "home_kind": ref.kind,
        }

    def _of_kind(self, questions: Map[str, Question], ref: RecordRef) -> Question:
        if ANY in questions:
            return questions[ANY]
        if ref.kind not in questions:
            known = ", ".join(sorted(questions))
            raise CrmError(Answer.PERMANENT, f"{ref}: follow-ups stand on {known}, and on no other record")
        return questions[ref.kind]


def _by_kind(
    table: AskTable, homes: Map[str, MoreTable], names: frozenset[str], where: str
) -> dict[str, Question]:
    question = question_of(table, names=names, where=where, more=tuple(homes.values()))
    return {kind: question.with_more(more) for kind, more in homes.items()} or {ANY: question}


def _text(text: str, names: frozenset[str], where: str) -> Template:
    try:
        found = template_of(text, names=names, where=where)
    except BadInput as error:
        raise SettingsError(str(error)) from None
    if not any(found.names()):
        raise SettingsError(f"{where}: it names no {{key}}")
    return found
