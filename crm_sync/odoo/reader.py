"""Reads leads and contacts of Odoo: these ones, those of a number, those that changed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import phonenumbers

from crm_sync.odoo.cursor import following, place_of
from crm_sync.odoo.load import Calls
from crm_sync.odoo.people import Person, person_of
from crm_sync.odoo.records import FIELDS, Around, record_of
from crm_sync.odoo.rows import model_of, record_id
from crm_sync.odoo.tables import LEAD, PARTNER, Domain, SourceTable, both
from crm_sync.port import CrmError, PulledRecord, PullPage, RecordRef
from cti.clock import Clock
from cti.errors import BadInput
from cti.model.crm import Answer

ALL: Final = {"active_test": False}
"""Archived records too."""
CHUNK: Final = 200
KEEP_SECONDS: Final = 600.0
MOST: Final = 500
"""Records of a page at most."""
MOST_FOUND: Final = 50
"""Records of one number at most."""

Row = Mapping[str, Any]


class Reader:
    """Reads. Raises CrmError."""

    def __init__(self, odoo: Calls, clock: Clock, *, overlap: timedelta) -> None:
        self._odoo = odoo
        self._clock = clock
        self._overlap = overlap
        self._fields: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._countries: dict[int, str] = {}
        self._owners: dict[int, tuple[float, Person]] = {}

    async def fields(self, model: str) -> Mapping[str, str]:
        """Return a model's fields and their types."""
        now = self._clock.monotonic()
        kept = self._fields.get(model)
        if kept is None or kept[0] <= now:
            said = await self._odoo.call(model, "fields_get", attributes=["type"])
            if not isinstance(said, dict):
                raise CrmError(Answer.RETRY, f"{model}: fields_get gave no fields")
            kept = now + KEEP_SECONDS, {name: str(one.get("type")) for name, one in said.items()}
            self._fields[model] = kept
        return kept[1]

    async def records(self, refs: Sequence[RecordRef], *, zone: str) -> dict[RecordRef, PulledRecord]:
        """Return these records by their references. One that may not be seen is never taken for one that is gone."""
        wanted: dict[str, dict[int, RecordRef]] = {}
        for ref in refs:
            try:
                wanted.setdefault(_known(ref), {})[record_id(ref)] = ref
            except BadInput as error:
                raise CrmError(Answer.PERMANENT, str(error)) from None
        found: dict[RecordRef, PulledRecord] = {}
        for model, by_id in wanted.items():
            ids = list(by_id)
            for at in range(0, len(ids), CHUNK):
                rows = await self._these(model, ids[at : at + CHUNK])
                for row, record in zip(rows, await self._made(model, rows, zone=zone), strict=True):
                    found[by_id[row["id"]]] = record
        return found

    async def _these(self, model: str, ids: list[int]) -> list[Row]:
        rows = await self._search(model, [["id", "in", ids]], limit=len(ids), order="id")
        absent = sorted(set(ids) - {row["id"] for row in rows})
        if absent:
            # a search leaves out what we may not see; reading that is refused, and reading what is gone gives nothing
            try:
                await self._odoo.call(model, "read", ids=absent, fields=["id"])
            except CrmError as error:
                if error.answer is not Answer.DELETED:
                    raise
        return rows

    async def of_number(self, e164: str, *, zone: str) -> list[PulledRecord]:
        """Return the open records of a number: as Odoo made sense of it, and as people wrote it."""
        found: list[PulledRecord] = []
        for model in FIELDS:
            rows = await self._search(
                model, number_domain(e164), limit=MOST_FOUND, order="write_date desc, id desc", context={}
            )
            found += [one for one in await self._made(model, rows, zone=zone) if one.over is None]
        return found

    async def page(self, source: SourceTable, *, cursor: str, limit: int, zone: str) -> PullPage:
        """Return a page of a source's changes."""
        try:
            place = place_of(cursor)
        except BadInput as error:
            raise CrmError(Answer.PERMANENT, str(error)) from None
        limit = max(1, min(limit, MOST))
        rows = await self._search(
            source.model,
            both(source.domain, place.domain),
            limit=limit,
            order=place.order,
            extra=source.fields,
        )
        after, more = following(place, rows, limit=limit, overlap=self._overlap)
        records = await self._made(source.model, rows, zone=zone, extra=source.fields)
        return PullPage(records=records, cursor=str(after), more=more)

    async def _search(
        self,
        model: str,
        domain: Domain,
        *,
        limit: int,
        order: str,
        extra: Sequence[str] = (),
        context: Mapping[str, Any] = ALL,
    ) -> list[Row]:
        there = await self.fields(model)
        if unknown := [name for name in extra if name not in there]:
            raise CrmError(Answer.PERMANENT, f"{model} has no field {unknown[0]!r}")
        names = list(dict.fromkeys([*(one for one in FIELDS[model] if one in there), *extra]))
        rows = await self._odoo.call(
            model, "search_read", domain=domain, fields=names, limit=limit, order=order, context=context
        )
        return list(rows)

    async def _made(
        self, model: str, rows: Sequence[Row], *, zone: str, extra: Sequence[str] = ()
    ) -> list[PulledRecord]:
        around = Around(
            owners=await self._owners_of(_ids(rows, "user_id")),
            countries=await self._countries_of(_ids(rows, "country_id")),
            zones=await self._zones_of(_ids(rows, "partner_id")),
            zone=zone,
        )
        return [record_of(model, row, around, extra=extra) for row in rows]

    async def _owners_of(self, ids: set[int]) -> dict[int, Person]:
        now = self._clock.monotonic()
        missing = sorted(one for one in ids if one not in self._owners or self._owners[one][0] <= now)
        if missing:
            rows = await self._odoo.call(
                "res.users",
                "search_read",
                domain=[["id", "in", missing]],
                fields=["login", "email", "partner_id", "tz"],
                context=ALL,
            )
            self._owners |= {row["id"]: (now + KEEP_SECONDS, person_of(row)) for row in rows}
        return {one: self._owners[one][1] for one in ids if one in self._owners}

    async def _countries_of(self, ids: set[int]) -> dict[int, str]:
        missing = sorted(ids - set(self._countries))
        if missing:
            rows = await self._odoo.call("res.country", "read", ids=missing, fields=["code"])
            self._countries |= {row["id"]: str(row["code"] or "") for row in rows}
        return {one: code for one in ids if (code := self._countries.get(one))}

    async def _zones_of(self, ids: set[int]) -> dict[int, str]:
        if not ids:
            return {}
        rows = await self._odoo.call(
            PARTNER, "search_read", domain=[["id", "in", sorted(ids)]], fields=["tz"], context=ALL
        )
        return {row["id"]: str(row["tz"]) for row in rows if row.get("tz")}


def number_domain(e164: str) -> Domain:
    """Return the condition for a number.

    `phone_sanitized` is E.164 where the record or the company has a country, and nothing otherwise. The search field
    compares digits as they were written, so each way of writing is asked for. Raises CrmError for what is no number.
    """
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        raise CrmError(Answer.PERMANENT, f"{e164!r} is no number in E.164") from None
    digits = "".join(one for one in e164 if one.isdecimal())
    significant = phonenumbers.national_significant_number(number)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    ways = [significant, "".join(one for one in national if one.isdecimal()), digits, f"+{digits}"]
    terms: Domain = [["phone_sanitized", "=", f"+{digits}"]]
    terms += [["phone_mobile_search", "=", way] for way in dict.fromkeys(ways) if len(way) >= 4]
    return ["|"] * (len(terms) - 1) + terms


def _known(ref: RecordRef) -> str:
    model = model_of(ref)
    if model not in FIELDS:
        raise BadInput(f"{ref}: of Odoo's records only {LEAD} and {PARTNER} are read")
    return model


def _ids(rows: Iterable[Row], name: str) -> set[int]:
    """Return the ids that a `many2one` of these rows names; it is read as `[id, name]`."""
    return {int(one[0]) for row in rows if isinstance(one := row.get(name), list) and one}
