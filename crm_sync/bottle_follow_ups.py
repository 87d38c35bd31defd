"""Next calls in BottleCRM: a task for each, and on a lead the day of its next follow-up, too."""

import logging
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_sync.bottle_asking import BottleAsker, listed
from crm_sync.bottle_records import CONTACT, LEAD, TASK, place_of
from crm_sync.port import CrmError, RecordRef
from crm_sync.requests import at_path
from cti.errors import BadInput
from cti.model.crm import Answer

log = logging.getLogger(__name__)

TITLE_LENGTH: Final = 200
KEY_LENGTH: Final = 100
FOUND: Final = 50
"""Tasks with our mark in one answer; there is one, or a few doubles."""


class BottleFollowUps:
    """Sets and moves them. Raises CrmError."""

    def __init__(self, asker: BottleAsker, *, zone: str) -> None:
        self._asker = asker
        self._zone = ZoneInfo(zone)

    async def set(self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str) -> RecordRef:
        """Have the record's next call stand there. A task of this key is moved, and opened again if it was done.

        Tasks have a day and no time: the time stands in the title. The answer to a new task holds no id, so it is
        looked for by its mark; so one whose answer was lost is found, too.
        """
        try:
            place = place_of(ref)
        except BadInput as error:
            raise CrmError(Answer.PERMANENT, str(error)) from None
        body = await self._body(place, at=at, user=user, text=text, key=key)
        task = await self._found(key)
        if task is None:
            await self._asker.ask("POST", "/api/tasks/", body=body)
            task = await self._found(key)
            if task is None:
                raise CrmError(Answer.UNKNOWN, "the task was made, and is not found")
        else:
            await self._asker.ask("PATCH", f"/api/tasks/{task}/", body=body)
        if place.kind == LEAD:
            await self._asker.ask(
                "PATCH", f"/api/leads/{place.id}/", body={"next_follow_up": body["due_date"]}
            )
        return RecordRef(TASK, task)

    async def _body(
        self, place: RecordRef, *, at: datetime, user: str | None, text: str, key: str
    ) -> dict[str, Any]:
        there = at.astimezone(self._zone)
        body: dict[str, Any] = {
            "title": _title(f"{there:%H:%M} {text}", key),
            "status": "New",
            "priority": "Medium",
            "due_date": there.date().isoformat(),
        }
        if place.kind == CONTACT:
            body["contacts"] = [place.id]
        else:
            body[place.kind] = place.id
        if user and (profile := await self._profile(user)):
            body["assigned_to"] = [profile]
        return body

    async def _found(self, key: str) -> str | None:
        """Return the id of the task with this key; of doubles the smallest, so that it is the same each time."""
        query = [("search", _mark(key)), ("slim", "true"), ("limit", str(FOUND))]
        rows = listed(await self._asker.ask("GET", "/api/tasks/", query=query), "tasks")
        marked = [str(at_path(row, "id")) for row in rows if _mark(key) in str(at_path(row, "title"))]
        return min(marked, default=None)

    async def _profile(self, user: str) -> str | None:
        """Return who that is there; a task for nobody is better than no task."""
        tree = await self._asker.ask("GET", "/api/tasks/", query=[("slim", "true"), ("limit", "1")])
        for one in listed(tree, "users"):
            if user.casefold() in (str(at_path(one, "id")), str(at_path(one, "user__email")).casefold()):
                return str(at_path(one, "id"))
        log.warning("BottleCRM has no active user %r; the task is nobody's", user)
        return None


def _mark(key: str) -> str:
    if not key or len(key) > KEY_LENGTH:
        raise CrmError(Answer.PERMANENT, f"a follow-up's key has 1 to {KEY_LENGTH} characters")
    return f"[cti:{key}]"


def _title(text: str, key: str) -> str:
    room = TITLE_LENGTH - len(_mark(key)) - 1
    text = " ".join(text.replace("\0", "").split())
    return f"{text if len(text) <= room else text[: room - 1] + '…'} {_mark(key)}"
