"""Reads calls back as they stand in Odoo. They are known by their external ids alone: no mark stands in their text.

A salesman may not read the table of external ids. He may ask what one of them is, and which ones a record has.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crm_sync.fingerprint import changed_there
from crm_sync.odoo.answers import OdooError
from crm_sync.odoo.load import Calls
from crm_sync.odoo.rows import (
    CALL,
    MESSAGE,
    MODULE,
    PHONECALL,
    call_id_of,
    external_id,
    odoo_time,
    time_of,
)
from crm_sync.odoo.tables import LEAD, PARTNER
from crm_sync.port import CallWrite, Written
from cti.errors import BadInput
from cti.model.crm import Answer, RecordRef

PAGE: Final = 500
ALL: Final = {"active_test": False}
TEXTS: Final = frozenset({"char", "text"})
_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    PHONECALL: (
        *("name", "date", "duration", "state", "direction", "opportunity_id", "partner_id", "user_id"),
        *("partner_phone", "description"),
    ),
    MESSAGE: ("model", "res_id", "date", "body", "author_id"),
}


async def standing(odoo: Calls, call_id: str) -> RecordRef | None:
    """Return what stands there for a call, None when nothing does. Raises CrmError."""
    said = await _referred(odoo, call_id)
    return RecordRef(str(said[0]), str(said[1])) if said is not None and said[1] else None


async def is_hidden(odoo: Calls, call_id: str) -> bool:
    """Whether something stands there for a call that we may not see: its name goes only with it. Raises CrmError."""
    said = await _referred(odoo, call_id)
    return said is not None and not said[1]


async def referred(odoo: Calls, name: str) -> RecordRef | None:
    """Return the record under an external id of ours, None when there is none that is not archived. Raises CrmError."""
    said = await _asked(odoo, name)
    return RecordRef(str(said[0]), str(said[1])) if said is not None and said[1] else None


async def _referred(odoo: Calls, call_id: str) -> Sequence[Any] | None:
    """Return model and id (none: it may not be seen) behind a call's external id, None when there is no such id."""
    try:
        name = external_id(CALL, call_id).removeprefix(f"{MODULE}.")
    except BadInput:
        return None
    return await _asked(odoo, name, context=ALL)


async def _asked(odoo: Calls, name: str, *, context: Mapping[str, Any] | None = None) -> Sequence[Any] | None:
    try:
        said: Sequence[Any] = await odoo.call(
            "ir.model.data", "check_object_reference", module=MODULE, xml_id=name, context=context
        )
    except OdooError as error:
        # it says by a ValueError that there is none
        if error.answer is Answer.DELETED or error.name == "builtins.ValueError":
            return None
        raise
    return said


async def people_changed(
    odoo: Calls, writes: Sequence[CallWrite], *, types: Mapping[str, str]
) -> list[frozenset[str]]:
    """Return for each call the texts that its update would change and that a person changed there. Raises CrmError.

    One request for all of them; none where no update changes a text.
    """
    asked = {n: name for n, one in enumerate(writes) if (name := _texts_of(one, types))}
    if not asked:
        return [frozenset() for _ in writes]
    ids = [int(ref.id) for n in asked if (ref := writes[n].remote) is not None and ref.id.isdecimal()]
    rows = await odoo.call(
        PHONECALL,
        "search_read",
        domain=[["id", "in", ids]],
        fields=sorted(frozenset().union(*asked.values())),
        context=ALL,
    )
    by_id = {str(row["id"]): row for row in rows}
    return [
        changed_there(one, _of_texts(by_id, one, asked[n])) if n in asked else frozenset()
        for n, one in enumerate(writes)
    ]


def _texts_of(write: CallWrite, types: Mapping[str, str]) -> frozenset[str]:
    """Return the texts that an update changes. HTML is left out: Odoo makes it clean, so it never is what was sent."""
    if write.remote is None or not write.last:
        return frozenset()
    return frozenset(name for name in write.sent() if name in write.last and types.get(name) in TEXTS)


def _of_texts(
    rows: Mapping[str, Mapping[str, Any]], write: CallWrite, names: Collection[str]
) -> dict[str, Any]:
    """Return these texts as they stand there; Odoo says False for one that is empty."""
    row = rows.get(write.remote.id if write.remote else "", {})
    return {name: row[name] or "" for name in names if name in row}


class ReadBack:
    """Reads back. Raises CrmError."""

    def __init__(self, odoo: Calls) -> None:
        self._odoo = odoo

    async def of_calls(self, call_ids: Sequence[str]) -> list[Written]:
        """Return these calls, as far as they are there."""
        refs = [await standing(self._odoo, call_id) for call_id in call_ids]
        found: list[Written] = []
        for model in _FIELDS:
            calls = {
                int(ref.id): call_id
                for call_id, ref in zip(call_ids, refs, strict=True)
                if ref is not None and ref.kind == model
            }
            for at in range(0, len(calls), PAGE):
                rows = await self._rows(model, [["id", "in", list(calls)[at : at + PAGE]]])
                found += [_written(model, row, calls[row["id"]]) for row in rows]
        return found

    async def of_span(self, since: datetime, until: datetime, *, way: str) -> AsyncIterator[Written]:
        """Give the calls of ours that began in a span, from both places where calls may stand."""
        for model in (PHONECALL, MESSAGE) if way == PHONECALL else (MESSAGE,):
            last = 0
            while True:
                domain: list[Any] = [
                    *(["date", ">=", odoo_time(since)], ["date", "<", odoo_time(until)], ["id", ">", last]),
                    *([["mail_activity_type_id", "!=", False]] if model == MESSAGE else []),
                ]
                rows = await self._rows(model, domain)
                calls = await self._calls_of(model, [row["id"] for row in rows])
                for row in rows:
                    if call_id := calls.get(row["id"]):
                        yield _written(model, row, call_id)
                if len(rows) < PAGE:
                    break
                last = rows[-1]["id"]

    async def _rows(self, model: str, domain: list[Any]) -> list[Mapping[str, Any]]:
        rows = await self._odoo.call(
            model,
            "search_read",
            domain=domain,
            fields=list(_FIELDS[model]),
            order="id",
            limit=PAGE,
            context=ALL,
        )
        return list(rows)

    async def _calls_of(self, model: str, ids: Sequence[int]) -> dict[int, str]:
        if not ids:
            return {}
        told = await self._odoo.call(model, "get_metadata", ids=ids)
        return {row["id"]: call for row in told if (call := _call_of(row))}


def _call_of(row: Mapping[str, Any]) -> str | None:
    names = [one.get("xmlid") for one in row.get("xmlids") or ()] or [row.get("xmlid")]
    return next((call for name in names if name and (call := call_id_of(str(name)))), None)


def _written(model: str, row: Mapping[str, Any], call_id: str) -> Written:
    minutes = row.get("duration")
    return Written(
        call_id=call_id,
        remote=RecordRef(model, str(row["id"])),
        home=_home(model, row),
        started_at=time_of(row.get("date")),
        seconds=float(minutes) * 60 if isinstance(minutes, int | float) else None,
        fields={name: row.get(name) for name in _FIELDS[model]},
    )


def _home(model: str, row: Mapping[str, Any]) -> RecordRef | None:
    if model == MESSAGE:
        kind, number = row.get("model"), row.get("res_id")
        return RecordRef(str(kind), str(number)) if kind and number else None
    for name, kind in (("opportunity_id", LEAD), ("partner_id", PARTNER)):
        if row.get(name):
            return RecordRef(kind, str(row[name][0]))
    return None
