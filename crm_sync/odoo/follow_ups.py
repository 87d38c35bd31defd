"""Next calls in Odoo: an activity of the record for each, known by an external id of ours."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from crm_sync.odoo.load import load
from crm_sync.odoo.people import People
from crm_sync.odoo.reader import Reader
from crm_sync.odoo.rows import FOLLOW_UP, MODULE, html, model_of, record_id
from crm_sync.odoo.tables import LEAD, PARTNER, OdooTable
from crm_sync.odoo.transport import Transport
from crm_sync.odoo.written import referred
from crm_sync.port import CrmError, RecordRef
from cti.errors import BadInput
from cti.model.crm import Answer

ACTIVITY: Final = "mail.activity"
_QUIET: Final = {"mail_activity_quick_update": True}
"""No mail to whom it is assigned: he has it from us."""
_MODELS: Final = {LEAD: "crm.model_crm_lead", PARTNER: "base.model_res_partner"}
"""External ids: a salesman may not read the table of models."""
_SUMMARY: Final = 200


class FollowUps:
    """Sets, moves and ends them. Raises CrmError."""

    def __init__(
        self,
        odoo: Transport,
        table: OdooTable,
        people: People,
        reader: Reader,
        *,
        zone: Callable[[], Awaitable[str]],
    ) -> None:
        """`zone`: where days begin for a follow-up that is nobody's."""
        self._odoo = odoo
        self._table = table
        self._people = people
        self._reader = reader
        self._zone = zone

    async def set(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        """Have the record's next call stand there: for the user, else for the record's own."""
        person = (await self._people.users(self._odoo, [user]))[user] if user else None
        zone = (person.zone if person else None) or await self._zone()
        try:
            row = _activity(ref, at.astimezone(ZoneInfo(zone)), text, key, self._table.activity_type)
        except BadInput as error:
            raise CrmError(Answer.PERMANENT, str(error)) from None
        owner = person.id if person else await self._owner(ref)
        if owner is not None:
            row["user_id/.id"] = str(owner)
        if not stands and "active" in await self._reader.fields(ACTIVITY):
            row["active"] = "True"  # one that was done and is to be done again
        (made,) = await load(self._odoo, ACTIVITY, [row], context=_QUIET)
        if made.id is None:
            raise CrmError(made.answer, made.message, pause_seconds=made.pause_seconds)
        return RecordRef(ACTIVITY, str(made.id))

    async def end(self, *, key: str, done: bool) -> None:
        """End it: it is marked as done, which the chatter shows, or taken away. What people ended before stays."""
        there = await referred(self._odoo, _name(key))
        if there is None:
            return
        method = "action_feedback" if done else "unlink"
        try:
            await self._odoo.call(ACTIVITY, method, ids=[record_id(there)], context=_QUIET)
        except CrmError as error:
            if error.answer is not Answer.DELETED:
                raise

    async def _owner(self, ref: RecordRef) -> int | None:
        """Return the record's own user; without one it falls to the bot. Raises CrmError when it is not there."""
        rows = await self._odoo.call(model_of(ref), "read", ids=[record_id(ref)], fields=["user_id"])
        if not rows:
            raise CrmError(Answer.DELETED, f"{ref} is not there any more")
        user = rows[0]["user_id"]
        return int(user[0]) if user else None


def _name(key: str) -> str:
    """Return what stands behind the point of its external id: any text may be a key, and an id has few letters."""
    return FOLLOW_UP + hashlib.sha256(key.encode()).hexdigest()[:32]


def _activity(ref: RecordRef, at: datetime, text: str, key: str, activity_type: str) -> dict[str, str]:
    """Return the row of mail.activity. It has a day and no hour: the hour stands in its note."""
    model = model_of(ref)
    if model not in _MODELS:
        raise BadInput(f"{ref}: a follow-up cannot stand on {model}; on {LEAD} and {PARTNER} it can")
    return {
        "id": f"{MODULE}.{_name(key)}",
        "res_model_id/id": _MODELS[model],
        "res_id": str(record_id(ref)),
        "activity_type_id/id": activity_type,
        "summary": " ".join(text.split())[:_SUMMARY],
        "note": f"<p>{at:%Y-%m-%d %H:%M} ({html(str(at.tzinfo))})</p><p>{html(text)}</p>",
        "date_deadline": at.date().isoformat(),
    }
