"""Brings a batch of calls into Odoo, each to its own answer."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from crm_sync.odoo.answers import OdooError
from crm_sync.odoo.load import Cells, Loaded, load
from crm_sync.odoo.people import People, Person
from crm_sync.odoo.reader import Reader
from crm_sync.odoo.rows import (
    MESSAGE,
    PHONECALL,
    TAGS,
    deal_apart,
    deal_row,
    message_row,
    phonecall_row,
    tag_names,
    without_links,
)
from crm_sync.odoo.tables import OdooTable
from crm_sync.odoo.transport import Counted, Transport
from crm_sync.odoo.written import is_hidden, people_changed, standing
from crm_sync.port import CallWrite, CrmError, PushResult
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef

_QUIET: Final = {"tracking_disable": True, "active_test": False}
"""No mail to whoever is named as the agent, no followers, no message about each field. And what is archived is there:
else a call that a user archived would be taken for deleted when it is brought up to date."""
_LINKS: Final = frozenset({"opportunity_id", "partner_id"})
_LOOKED_UP: Final = frozenset({"tag_ids", "user_id", "author_id"})
"""Columns whose ids we keep for minutes: one that is refused is gone since."""


class Pusher:
    """Writes calls. Keeps nothing of them."""

    def __init__(self, table: OdooTable, reader: Reader, people: People) -> None:
        self._table = table
        self._reader = reader
        self._people = people
        self._way: str | None = None

    async def way(self, odoo: Transport | Counted) -> str:
        """Return the model that new calls stand in. Raises CrmError."""
        if self._way is None:
            self._way = {"phonecall": PHONECALL, "activity": MESSAGE}.get(self._table.log)
        if self._way is None:
            try:
                await odoo.call(PHONECALL, "fields_get", allfields=["id"], attributes=["type"])
            except OdooError as error:
                if not error.is_missing_model:
                    raise
                self._way = MESSAGE
            else:
                self._way = PHONECALL
        return self._way

    async def push(self, odoo: Counted, writes: Sequence[CallWrite]) -> list[PushResult]:
        """Write these calls; one result for each, in order. Never raises for what Odoo did."""
        answers: dict[int, Loaded] = {}
        way = ""
        try:
            way = await self.way(odoo)
            people = await self._people.users(odoo, {one.user for one in writes if one.user})
            # what stands somewhere already is updated where it is, even when the way has changed since
            places = {n: one.remote.kind if one.remote else way for n, one in enumerate(writes)}
            for model, into in ((PHONECALL, self._phonecalls), (MESSAGE, self._messages)):
                numbers = [n for n, place in places.items() if place == model]
                some = [writes[n] for n in numbers]
                if some:
                    loaded = await self._surely_gone(odoo, some, await into(odoo, some, people))
                    answers |= zip(numbers, loaded, strict=True)
        except CrmError as error:
            answer = Answer.RETRY if error.answer in (Answer.UNKNOWN, Answer.DELETED) else error.answer
            if isinstance(error, OdooError) and error.is_missing_model and self._table.log == "auto":
                self._way, answer = None, Answer.RETRY  # the module was taken out since
            failed = Loaded(answer, message=str(error), pause_seconds=error.pause_seconds)
            answers = {n: answers.get(n, failed) for n in range(len(writes))}
        self._forget_lost(answers)
        strange = Loaded(Answer.PERMANENT, message="what stands for the call is no record of Odoo's")
        results = [
            _result(one, answers.get(n, strange), one.remote.kind if one.remote else way)
            for n, one in enumerate(writes)
        ]
        results = await self._tell_deals(odoo, writes, results)
        return _counting(results, odoo.requests - 1)

    async def _surely_gone(
        self, odoo: Counted, writes: Sequence[CallWrite], loaded: list[Loaded]
    ) -> list[Loaded]:
        """Take no row for deleted that is only hidden: once deleted, a call is never written again."""
        for n, (write, one) in enumerate(zip(writes, loaded, strict=True)):
            if one.answer is not Answer.DELETED:
                continue
            try:
                hidden = await is_hidden(odoo, write.log.call_id)
            except CrmError as error:
                answer = Answer.RETRY if error.answer is Answer.UNKNOWN else error.answer
                loaded[n] = Loaded(answer, message=str(error), pause_seconds=error.pause_seconds)
            else:
                if hidden:
                    loaded[n] = Loaded(
                        Answer.PERMANENT, message=f"{write.remote} is there, and hidden from the bot"
                    )
        return loaded

    def _forget_lost(self, answers: dict[int, Loaded]) -> None:
        """Have calls tried again whose agent or tag was deleted since it was looked up."""
        lost = {n: one for n, one in answers.items() if one.field in _LOOKED_UP}
        if lost:
            self._people.forget()
            answers |= {n: replace(one, answer=Answer.RETRY) for n, one in lost.items()}

    async def _phonecalls(
        self, odoo: Counted, writes: Sequence[CallWrite], people: Mapping[str, Person | None]
    ) -> list[Loaded]:
        types = await self._reader.fields(PHONECALL)
        left = await people_changed(odoo, writes, types=types)
        writes = [replace(one, leave=one.leave | names) for one, names in zip(writes, left, strict=True)]
        named = {tag for one in writes for tag in tag_names(one.sent().get(TAGS))}
        tags = await self._people.tags(odoo, named) if named else {}
        rows: list[Cells | str] = []
        for one in writes:
            person = people.get(one.user or "")
            try:
                rows.append(phonecall_row(one, types=types, user_id=person.id if person else None, tags=tags))
            except BadInput as error:
                rows.append(str(error))
        loaded = await _load_good(odoo, PHONECALL, rows)
        loaded = await self._without_lost_links(odoo, rows, loaded)
        return [replace(one, left=names) for one, names in zip(loaded, left, strict=True)]

    async def _without_lost_links(
        self, odoo: Counted, rows: Sequence[Cells | str], loaded: list[Loaded]
    ) -> list[Loaded]:
        """Bring up to date what stands on a record that is gone since (deleted, merged): where it stands is left."""
        again = {
            n: without_links(row)
            for n, (row, one) in enumerate(zip(rows, loaded, strict=True))
            if not isinstance(row, str) and ".id" in row and one.field in _LINKS
        }
        if again:
            answers = await load(odoo, PHONECALL, list(again.values()), context=_QUIET)
            for n, answer in zip(again, answers, strict=True):
                told = f"left where it stands: {loaded[n].message}"
                loaded[n] = replace(answer, message=told) if answer.answer is Answer.OK else answer
        return loaded

    async def _messages(
        self, odoo: Counted, writes: Sequence[CallWrite], people: Mapping[str, Person | None]
    ) -> list[Loaded]:
        writes = [await _found(odoo, one) if one.unsure and one.remote is None else one for one in writes]
        loaded = await _load_good(odoo, MESSAGE, [self._message(one, people) for one in writes])
        # a message cannot be moved to another record, so what is there already refuses the whole row of a creation
        late: dict[int, CallWrite] = {}
        for n, (one, answer) in enumerate(zip(writes, loaded, strict=True)):
            if one.remote is None and answer.answer in (Answer.PERMANENT, Answer.RETRY):
                found = await _found(odoo, one)
                if found.remote is not None:
                    late[n] = found
        if late:
            rows = [self._message(one, people) for one in late.values()]
            for n, answer in zip(late, await _load_good(odoo, MESSAGE, rows), strict=True):
                loaded[n] = answer
        return loaded

    def _message(self, write: CallWrite, people: Mapping[str, Person | None]) -> Cells | str:
        person = people.get(write.user or "")
        author = person.partner_id if person else None
        try:
            return message_row(write, author_id=author, activity_type=self._table.activity_type)
        except BadInput as error:
            return str(error)

    async def _tell_deals(
        self, odoo: Counted, writes: Sequence[CallWrite], results: list[PushResult]
    ) -> list[PushResult]:
        """Note in the chatter of deals the calls that stand on another lead: once, when they are created.

        A call counts as written when its deal was told; until then it is repeated, which makes no double of either.
        """
        rows: dict[int, Cells] = {}
        for n, (one, result) in enumerate(zip(writes, results, strict=True)):
            if one.remote is not None or result.answer is not Answer.OK:
                continue
            try:
                if deal := deal_apart(one):
                    rows[n] = deal_row(one, deal)
            except BadInput as error:
                results[n] = replace(result, message=f"the deal was not told: {error}")
        if not rows:
            return results
        for n, told in zip(rows, await load(odoo, MESSAGE, list(rows.values()), context=_QUIET), strict=True):
            if told.answer is Answer.OK or await _there(odoo, rows[n]):
                continue
            message = f"the deal was not told: {told.message}"
            if told.answer is Answer.PERMANENT:
                results[n] = replace(results[n], message=message)
            else:  # the call is written; its repeat finds it by our key
                results[n] = replace(
                    results[n],
                    answer=told.answer,
                    remote=None,
                    message=message,
                    pause_seconds=told.pause_seconds,
                )
        return results


async def _load_good(odoo: Counted, model: str, rows: Sequence[Cells | str]) -> list[Loaded]:
    """Load the rows; in place of one that could not be made stands why."""
    good = [row for row in rows if not isinstance(row, str)]
    loaded = iter(await load(odoo, model, good, context=_QUIET) if good else ())
    return [Loaded(Answer.PERMANENT, message=row) if isinstance(row, str) else next(loaded) for row in rows]


async def _found(odoo: Counted, write: CallWrite) -> CallWrite:
    """Return the write with what stands there for its call. Raises CrmError."""
    there = await standing(odoo, write.log.call_id)
    return replace(write, remote=there) if there is not None and there.kind == MESSAGE else write


async def _there(odoo: Counted, row: Cells) -> bool:
    module, _, name = row["id"].partition(".")
    try:
        await odoo.call("ir.model.data", "check_object_reference", module=module, xml_id=name)
    except CrmError:
        return False
    return True


def _result(write: CallWrite, loaded: Loaded, model: str) -> PushResult:
    remote = RecordRef(model, str(loaded.id)) if loaded.id is not None else None
    return PushResult(
        call_id=write.log.call_id,
        answer=loaded.answer,
        remote=remote,
        message=loaded.message,
        pause_seconds=loaded.pause_seconds,
        left=loaded.left,
    )


def _counting(results: list[PushResult], more: int) -> list[PushResult]:
    """Have the first result tell of the requests beyond the one of the batch."""
    if results and more > 0:
        results[0] = replace(results[0], more_requests=more)
    return results
