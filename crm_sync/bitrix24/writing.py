"""Writes calls into Bitrix24: as activities of the type call, marked with our id as their origin.

Bitrix24 keeps no unique origin, so that after an unknown answer the call is looked for by it before it is added again.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm_sync.bitrix24.asking import Bitrix24Asker, Command, Ref, by_origin
from crm_sync.bitrix24.tables import Bitrix24Table, type_of
from crm_sync.fingerprint import CONTACT, DEAL, HOME, USER
from crm_sync.port import CallWrite, CrmError, PushResult
from crm_sync.requests import at_path
from crm_sync.results import counted, failed, written
from crm_sync.users import Users
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef, record_ref

log = logging.getLogger(__name__)

CALL: Final = 2
"""Number of the type of activity."""
GONE: Final = re.compile(r"activity is not found", re.IGNORECASE)
"""No more than this: that an owner is not found says nothing of the activity."""
TIMES: Final = ("START_TIME", "END_TIME", "DEADLINE")


@dataclass(frozen=True, slots=True)
class _Item:
    """A call with what is to be sent for it."""

    write: CallWrite
    fields: Mapping[str, Any]
    remote: str | None


class Bitrix24Writer:
    """One push: counts what it asks."""

    def __init__(
        self,
        asker: Bitrix24Asker,
        table: Bitrix24Table,
        users: Users,
        known: Callable[[Collection[str]], Awaitable[frozenset[str]]],
        target: str,
    ) -> None:
        """`known` gives the fields that an activity has there, given those that are wanted."""
        self._asker = asker
        self._table = table
        self._users = users
        self._known = known
        self._target = target

    async def push(self, writes: Sequence[CallWrite]) -> list[PushResult]:
        """Write the calls; one result for each, in order."""
        found: dict[str, PushResult] = {}
        items: list[_Item] = []
        looked: dict[str, str] | CrmError = await self._looked(writes)
        for write in writes:
            try:
                items.append(await self._item(write, looked))
            except CrmError as error:
                found[write.log.call_id] = failed(write, error)
            except BadInput as error:
                found[write.log.call_id] = failed(write, CrmError(Answer.PERMANENT, str(error)))
        if items:
            try:
                answers = await self._asker.batch(self._commands(items))
            except CrmError as error:
                found |= {item.write.log.call_id: failed(item.write, error) for item in items}
            else:
                for n, item in enumerate(items):
                    found[item.write.log.call_id] = self._result(n, item, answers)
        return counted([found[write.log.call_id] for write in writes], self._asker.asked - 1)

    async def _looked(self, writes: Sequence[CallWrite]) -> dict[str, str] | CrmError:
        """Return what stands there of the calls that may have arrived, or why that cannot be known now."""
        unsure = [write.log.call_id for write in writes if write.unsure and write.remote is None]
        if not unsure:
            return {}
        try:
            rows = await self._asker.every("crm.activity.list", by_origin(self._table.originator, unsure))
        except CrmError as error:
            if error.answer in (Answer.PERMANENT, Answer.UNKNOWN):
                return CrmError(Answer.RETRY, f"while looking for the call: {error}")
            return error
        found: dict[str, str] = {}
        for row in rows:  # in order of their ids: of doubles the first one counts
            found.setdefault(str(at_path(row, "ORIGIN_ID")), str(at_path(row, "ID")))
        return found

    async def _item(self, write: CallWrite, looked: dict[str, str] | CrmError) -> _Item:
        remote = write.remote.id if write.remote is not None else None
        if remote is None and write.unsure:
            if isinstance(looked, CrmError):
                raise looked
            remote = looked.get(write.log.call_id)
        return _Item(write, await self._fields(write), remote)

    async def _fields(self, write: CallWrite) -> dict[str, Any]:
        """Return the activity; of one that is there what is ours to change."""
        home = write.home or write.deal
        if home is None:
            raise BadInput("the call has no record in this CRM, and an activity of Bitrix24 must have one")
        if write.deal is not None:
            type_of(write.deal)
        made: dict[str, Any] = {"ORIGINATOR_ID": self._table.originator, "ORIGIN_ID": write.log.call_id}
        if not write.leave:
            made["TYPE_ID"] = CALL
        owned = {HOME if write.home else DEAL} | ({CONTACT} if home.kind == "deal" else set())
        if not write.leave.issuperset(owned):  # it makes all bindings anew from these
            made |= {
                "OWNER_TYPE_ID": type_of(home),
                "OWNER_ID": home.id,
                "COMMUNICATIONS": [self._communication(write, home)],
            }
        if USER not in write.leave:
            made["RESPONSIBLE_ID"] = await self._users.of(write.user) or self._table.responsible
        made |= {name: zoned(name, value) for name, value in write.sent().items()}
        wanted = {*made, *write.fields}
        if unknown := sorted(wanted - await self._known(wanted)):
            # it would leave them out without a word
            raise BadInput(f"activities of Bitrix24 have no field {', '.join(unknown)}")
        return made

    def _communication(self, write: CallWrite, home: RecordRef) -> dict[str, Any]:
        """Return whom was spoken to. A deal has no number; its contact has."""
        whom: RecordRef | None = home
        if home.kind == "deal":
            whom = record_ref(write.log.crm_contact, target=self._target, kind="contact")
        made: dict[str, Any] = {"TYPE": "PHONE", "VALUE": write.log.number}
        if whom is not None:
            made |= {"ENTITY_TYPE_ID": type_of(whom), "ENTITY_ID": whom.id}
        return made

    def _commands(self, items: Sequence[_Item]) -> dict[str, Command]:
        commands: dict[str, Command] = {}
        for n, item in enumerate(items):
            activity: str = Ref(f"$result[call_{n}]")
            if item.remote is None:
                commands[f"call_{n}"] = Command("crm.activity.add", {"fields": item.fields})
            else:
                activity = item.remote
                commands[f"call_{n}"] = Command(
                    "crm.activity.update", {"id": item.remote, "fields": item.fields}
                )
            deal = item.write.deal
            as_it_is = "OWNER_ID" not in item.fields and DEAL in item.write.leave
            if deal is not None and item.write.home not in (None, deal) and not as_it_is:
                commands[f"deal_{n}"] = Command(
                    "crm.activity.binding.add",
                    {"activityId": activity, "entityTypeId": type_of(deal), "entityId": deal.id},
                )
        return commands

    def _result(self, n: int, item: _Item, answers: Mapping[str, Any]) -> PushResult:
        answer = answers[f"call_{n}"]
        if isinstance(answer, CrmError):
            if item.remote is not None and answer.answer is Answer.PERMANENT and GONE.search(str(answer)):
                answer = CrmError(Answer.DELETED, f"activity:{item.remote} is not there any more")
            return failed(item.write, answer)
        if item.remote is None and not str(answer).isdecimal():
            return failed(item.write, CrmError(Answer.UNKNOWN, f"the answer holds no id: {answer!r}"[:200]))
        remote = RecordRef("activity", item.remote or str(answer))
        bound = answers.get(f"deal_{n}")
        if isinstance(bound, CrmError) and "ACTIVITY_IS_ALREADY_BOUND" not in str(bound):
            if bound.answer is not Answer.PERMANENT:
                # whoever tries again finds it by its mark, and binds it
                said = f"it stands there as {remote}, perhaps not on {item.write.deal}: {bound}"
                return failed(item.write, CrmError(Answer.UNKNOWN, said))
            log.warning(
                "%s: call %s stands there as %s, but not on %s: %s",
                self._target,
                item.write.log.call_id,
                remote,
                item.write.deal,
                bound,
            )
        return written(item.write, remote)


def zoned(name: str, value: Any) -> Any:
    """Return a time as Bitrix24 writes it, with the zone as an offset; any other value as it is."""
    return value.replace("Z", "+00:00") if name in TIMES and isinstance(value, str) else value
