"""Next calls in BottleCRM: a task for each, and on a lead the day of its next follow-up, too."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_sync.bottle.asking import BottleAsker
from crm_sync.bottle.records import CONTACT, LEAD, TASK, place_of
from crm_sync.port import CrmError, RecordRef
from crm_sync.requests import at_path, listed
from cti.errors import BadInput
from cti.model.crm import Answer

log = logging.getLogger(__name__)

TITLE_LENGTH: Final = 200
KEY_LENGTH: Final = 100
COMPLETED: Final = "Completed"
FOUND: Final = 50
"""Tasks with our mark in one answer; there is one, or a few doubles."""


class BottleFollowUps:
    """Sets, moves and ends them. Raises CrmError."""

    def __init__(self, asker: BottleAsker, *, zone: str) -> None:
        self._asker = asker
        self._zone = ZoneInfo(zone)

    async def set(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        """Have the record's next call stand there. A task of this key is moved; one that was done is opened again,
        unless it `stands`: see the port.

        Tasks have a day and no time: the time stands in the title. The answer to a new task holds no id, so it is
        looked for by its mark; so one whose answer was lost is found, too.
        """
        place = _place(ref)
        body = await self._body(place, at=at, user=user, text=text, key=key)
        task = await self._found(key)
        if task is None:
            await self._asker.ask("POST", "/api/tasks/", body=body)
            task = await self._found(key)
            if task is None:
                raise CrmError(Answer.UNKNOWN, "the task was made, and is not found")
        elif stands and task.completed:
            return RecordRef(TASK, task.id)
        else:
            await self._asker.ask("PATCH", task.path, body=body)
        if place.kind == LEAD:
            await self._asker.ask(
                "PATCH", f"/api/leads/{place.id}/", body={"next_follow_up": body["due_date"]}
            )
        return RecordRef(TASK, task.id)

    async def end(self, ref: RecordRef, *, key: str, done: bool) -> None:
        """End it: the task is completed, or deleted. One that people completed before stays.

        The lead's day goes first, as long as it is the task's: of what is cut off in between, the task is found again.
        """
        place, task = _place(ref), await self._found(key)
        if task is None:
            return
        if place.kind == LEAD and task.due:
            path = f"/api/leads/{place.id}/"
            lead = await self._if_there("GET", path)
            if at_path(lead, "lead_obj.next_follow_up") == task.due:
                await self._if_there("PATCH", path, body={"next_follow_up": None})
        if done:
            await self._if_there("PATCH", task.path, body={"status": COMPLETED})
        elif not task.completed:
            await self._if_there("DELETE", task.path)

    async def _if_there(self, method: str, path: str, *, body: Any = None) -> Any:
        try:
            return await self._asker.ask(method, path, body=body)
        except CrmError as error:
            if error.answer is not Answer.DELETED:
                raise
            return None

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

    async def _found(self, key: str) -> "_Task | None":
        """Return the task with this key; of doubles that of the smallest id, so that it is the same each time."""
        query = [("search", _mark(key)), ("slim", "true"), ("limit", str(FOUND))]
        rows = listed(await self._asker.ask("GET", "/api/tasks/", query=query), "tasks")
        marked = [_task(row) for row in rows if _mark(key) in str(at_path(row, "title"))]
        return min(marked, key=lambda one: one.id, default=None)

    async def _profile(self, user: str) -> str | None:
        """Return who that is there; a task for nobody is better than no task."""
        tree = await self._asker.ask("GET", "/api/tasks/", query=[("slim", "true"), ("limit", "1")])
        for one in listed(tree, "users"):
            if user.casefold() in (str(at_path(one, "id")), str(at_path(one, "user__email")).casefold()):
                return str(at_path(one, "id"))
        log.warning("BottleCRM has no active user %r; the task is nobody's", user)
        return None


@dataclass(frozen=True, slots=True)
class _Task:
    """A task of ours as it stands there."""

    id: str
    due: str | None
    """A day."""
    completed: bool

    @property
    def path(self) -> str:
        return f"/api/tasks/{self.id}/"


def _task(row: Any) -> _Task:
    due = at_path(row, "due_date")
    return _Task(str(at_path(row, "id")), str(due) if due else None, at_path(row, "status") == COMPLETED)


def _place(ref: RecordRef) -> RecordRef:
    try:
        return place_of(ref)
    except BadInput as error:
        raise CrmError(Answer.PERMANENT, str(error)) from None


def _mark(key: str) -> str:
    if not key or len(key) > KEY_LENGTH:
        raise CrmError(Answer.PERMANENT, f"a follow-up's key has 1 to {KEY_LENGTH} characters")
    return f"[cti:{key}]"


def _title(text: str, key: str) -> str:
    room = TITLE_LENGTH - len(_mark(key)) - 1
    text = " ".join(text.replace("\0", "").split())
    return f"{text if len(text) <= room else text[: room - 1] + '…'} {_mark(key)}"
