"""Writes calls into HubSpot: by a unique property of ours, and then onto their records.

The upsert takes no associations, so a call and its place on a record are two requests. Both may be repeated: the key
finds the call, and an association that is there stays one.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm_sync.fingerprint import CONTACT, CUSTOMER, DEAL, HOME, USER
from crm_sync.hubspot.asking import HubSpotAsker, part
from crm_sync.hubspot.tables import HOMES, PLURALS, HubSpotTable
from crm_sync.port import CallWrite, CrmError, PushResult
from crm_sync.requests import at_path
from crm_sync.results import counted, failed, halved, stopped, written
from crm_sync.users import Users
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef, record_ref

log = logging.getLogger(__name__)

CALLS: Final = "/crm/v3/objects/calls"
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DISPOSITION: Final = "hs_call_disposition"
OWNER: Final = "hubspot_owner_id"
KEYLESS: Final = re.compile(r"non-unique|does not exist|DOESNT_EXIST")
RECORDING: Final = "hs_call_recording_url"


@dataclass(frozen=True, slots=True)
class _Item:
    """A call with what is to be sent for it."""

    write: CallWrite
    properties: Mapping[str, str]
    refs: tuple[RecordRef, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """A call of theirs and a record it is to stand on."""

    call: str
    ref: RecordRef


class HubSpotWriter:
    """One push: counts what it asks."""

    def __init__(
        self, asker: HubSpotAsker, table: HubSpotTable, users: Users, target: str, told: set[str]
    ) -> None:
        """`told`: codes without an outcome that the log has named already."""
        self._asker = asker
        self._told = told
        self._table = table
        self._users = users
        self._target = target

    async def push(self, writes: Sequence[CallWrite]) -> list[PushResult]:
        """Write the calls; one result for each, in order."""
        found: dict[str, PushResult] = {}
        items: list[_Item] = []
        for write in writes:
            try:
                items.append(await self._item(write))
            except CrmError as error:
                found[write.log.call_id] = failed(write, error)
            except BadInput as error:
                found[write.log.call_id] = failed(write, CrmError(Answer.PERMANENT, str(error)))
        new = [item for item in items if item.write.remote is None]
        known = [item for item in items if item.write.remote is not None]
        stand: list[tuple[_Item, str]] = []
        stop: CrmError | None = None
        for some, send in ((new, self._upsert), (known, self._update)):
            if not some:
                continue
            answers = [stop for _ in some] if stop is not None else await halved(some, send)
            stop = stop or stopped(answers)
            for item, answer in zip(some, answers, strict=True):
                if isinstance(answer, CrmError):
                    found[item.write.log.call_id] = failed(item.write, answer)
                else:
                    stand.append((item, answer))
        await self._associate(stand, found)
        results = [found[write.log.call_id] for write in writes]
        return counted(results, self._asker.asked - 1)

    async def _item(self, write: CallWrite) -> _Item:
        refs = _refs(write, self._target)
        fields = dict(write.sent())
        owner = await self._users.of(write.user) if USER not in write.leave else None
        if owner is not None:
            fields.setdefault(OWNER, owner)
        self._outcome(fields)
        if fields.get(RECORDING) and not str(fields[RECORDING]).startswith("https://"):
            del fields[RECORDING]  # it would refuse the whole call
        fields[self._table.key] = write.log.call_id
        return _Item(write, {name: _text(value) for name, value in fields.items()}, refs)

    def _outcome(self, fields: dict[str, Any]) -> None:
        """Put the account's GUID for our code; a code without one is left out, which the log says once."""
        code = fields.get(DISPOSITION)
        if not code or _GUID.fullmatch(str(code)):
            return
        guids = self._table.dispositions
        guid = guids.get(str(code), guids.get("*"))
        if guid is None:
            del fields[DISPOSITION]
            if str(code) not in self._told:
                self._told.add(str(code))
                log.warning("%s: hubspot.dispositions: no GUID for %s; it is left out", self._target, code)
        else:
            fields[DISPOSITION] = guid

    async def _upsert(self, items: Sequence[_Item]) -> Sequence[str | CrmError]:
        inputs = [
            {
                "idProperty": self._table.key,
                "id": item.write.log.call_id,
                "objectWriteTraceId": item.write.log.call_id,
                "properties": item.properties,
            }
            for item in items
        ]
        try:
            reply = await self._asker.must("POST", f"{CALLS}/batch/upsert", body={"inputs": inputs})
        except CrmError as error:
            raise self._keyless(error) from None
        ids = {}
        for one in _list(reply, "results"):
            key = at_path(one, f"properties.{self._table.key}") or at_path(one, "objectWriteTraceId")
            ids[str(key)] = at_path(one, "id")
        return self._matched([item.write.log.call_id for item in items], ids, reply)

    def _keyless(self, error: CrmError) -> CrmError:
        """Return the error; one that says that our property is missing stops the target, for it is no call's fault."""
        if error.answer is Answer.PERMANENT and self._table.key in str(error) and KEYLESS.search(str(error)):
            return CrmError(Answer.AUTH, f"{error}; `cti crm check` says how to make the property")
        return error

    async def _update(self, items: Sequence[_Item]) -> Sequence[str | CrmError]:
        wanted = [_remote(item.write) for item in items]
        if len(items) == 1:
            return [await self._update_one(items[0], wanted[0])]
        inputs = [
            {"id": remote, "properties": item.properties} for item, remote in zip(items, wanted, strict=True)
        ]
        reply = await self._asker.must("POST", f"{CALLS}/batch/update", body={"inputs": inputs})
        ids = {str(at_path(one, "id")): at_path(one, "id") for one in _list(reply, "results")}
        gone = _not_found(reply)
        answers = self._matched([one for one in wanted if one not in gone], ids, reply)
        rest = iter(answers)
        return [_gone(one) if one in gone else next(rest) for one in wanted]

    async def _update_one(self, item: _Item, remote: str) -> str | CrmError:
        body = {"properties": item.properties}
        reply = await self._asker.ask("PATCH", f"{CALLS}/{part(remote)}", body=body, absent=True)
        return _gone(remote) if reply is None else remote

    def _matched(self, wanted: Sequence[str], ids: Mapping[str, Any], reply: Any) -> Sequence[str | CrmError]:
        """Return the id for each; what is not told of is asked for by itself, or told of when it was alone."""
        if all(ids.get(one) for one in wanted):
            return [str(ids[one]) for one in wanted]
        errors = _list(reply, "errors")
        told = self._asker.plain(
            "; ".join(str(at_path(one, "message")) for one in errors) or "one of the calls is not told of"
        )
        if len(wanted) > 1:
            raise CrmError(Answer.RETRY, told)  # each half by itself: it may be repeated
        return [CrmError(Answer.PERMANENT if errors else Answer.UNKNOWN, told)]

    async def _associate(self, stand: Sequence[tuple[_Item, str]], found: dict[str, PushResult]) -> None:
        """Put the calls onto their records. What fails here fails for the call: it is repeated as a whole."""
        by_kind: dict[str, list[_Pair]] = defaultdict(list)
        for item, call in stand:
            for ref in item.refs:
                by_kind[ref.kind].append(_Pair(call, ref))
        wrong: dict[str, CrmError] = {}
        for kind, pairs in by_kind.items():
            for pair, answer in zip(pairs, await halved(pairs, self._associating(kind)), strict=True):
                if isinstance(answer, CrmError):
                    wrong.setdefault(pair.call, _not_on(pair, answer))
        for item, call in stand:
            error = wrong.get(call)
            found[item.write.log.call_id] = (
                written(item.write, RecordRef("call", call)) if error is None else failed(item.write, error)
            )

    def _associating(self, kind: str) -> Any:
        to = PLURALS[kind]

        async def send(pairs: Sequence[_Pair]) -> Sequence[bool | CrmError]:
            if len(pairs) == 1:
                call, record = part(pairs[0].call), part(pairs[0].ref.id)
                path = f"/crm/v4/objects/calls/{call}/associations/default/{to}/{record}"
                await self._asker.must("PUT", path)
                return [True]
            inputs = [{"from": {"id": one.call}, "to": {"id": one.ref.id}} for one in pairs]
            path = f"/crm/v4/associations/calls/{to}/batch/associate/default"
            reply = await self._asker.must("POST", path, body={"inputs": inputs})
            there = {
                (str(at_path(one, "from.id")), str(at_path(one, "to.id"))) for one in _list(reply, "results")
            }
            if not all((one.call, one.ref.id) in there for one in pairs):
                raise CrmError(Answer.RETRY, "one of the associations is not told of")
            return [True for _ in pairs]

        return send


def _refs(write: CallWrite, target: str) -> tuple[RecordRef, ...]:
    """Return the records that a call is to be put onto, each once: those that a person took it from are left."""
    given = {
        HOME: write.home,
        DEAL: write.deal,
        CONTACT: record_ref(write.log.crm_contact, target=target, kind="contact"),
        CUSTOMER: record_ref(write.log.crm_customer, target=target, kind="company"),
    }
    for ref in given.values():
        if ref is not None and ref.kind not in HOMES:
            raise BadInput(f"{ref}: HubSpot has no kind {ref.kind!r}; there are: {', '.join(HOMES)}")
        if ref is not None and not ref.id.isdecimal():
            raise BadInput(f"{ref}: ids of HubSpot are numbers")
    old = {ref for part, ref in given.items() if part in write.leave}
    return tuple(dict.fromkeys(ref for ref in given.values() if ref is not None and ref not in old))


def _text(value: Any) -> str:
    """Return a value as HubSpot takes it: text; nothing clears the property."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
    return str(value)


def _remote(write: CallWrite) -> str:
    return write.remote.id if write.remote is not None else ""


def _gone(remote: str) -> CrmError:
    return CrmError(Answer.DELETED, f"call:{remote} is not there any more")


def _not_on(pair: _Pair, error: CrmError) -> CrmError:
    return CrmError(
        error.answer,
        f"it stands there as call:{pair.call}, but not on {pair.ref}: {error}",
        pause_seconds=error.pause_seconds,
    )


def _not_found(reply: Any) -> set[str]:
    """Return the ids that an answer names as absent."""
    return {
        str(one)
        for error in _list(reply, "errors")
        if at_path(error, "category") == "OBJECT_NOT_FOUND"
        for one in _list(error, "context.ids")
    }


def _list(tree: Any, path: str) -> list[Any]:
    found = at_path(tree, path)
    return found if isinstance(found, list) else []
