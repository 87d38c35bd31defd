"""Next calls in HubSpot: a task for each, known by a unique property of ours."""

from datetime import UTC, datetime
from html import escape
from typing import Any, Final

from crm_sync.hubspot.asking import HubSpotAsker, part
from crm_sync.hubspot.tables import HOMES, PLURALS, HubSpotTable
from crm_sync.port import CrmError
from crm_sync.requests import at_path
from crm_sync.users import Users
from cti.model.crm import Answer, RecordRef

TASKS: Final = "/crm/v3/objects/tasks"
STATUS: Final = "hs_task_status"
DONE: Final = "COMPLETED"


class HubSpotFollowUps:
    """Sets, moves and ends them. Raises CrmError."""

    def __init__(self, asker: HubSpotAsker, table: HubSpotTable, users: Users, *, where: str) -> None:
        """`users` gives the id of an owner by e-mail; `where`: the file that has the table."""
        self._asker = asker
        self._table = table
        self._users = users
        self._where = where

    async def set(
        self, ref: RecordRef, *, at: datetime, user: str | None, text: str, key: str, stands: bool = False
    ) -> RecordRef:
        """Have the record's next call stand there; the same key again moves it."""
        self._must_have_key()
        if ref.kind not in HOMES:
            raise CrmError(Answer.PERMANENT, f"{ref}: a task stands on one of: {', '.join(HOMES)}")
        if not ref.id.isdecimal():
            raise CrmError(Answer.PERMANENT, f"{ref}: ids of HubSpot are numbers")
        owner = await self._users.of(user)
        task = {
            "hs_timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "hs_task_subject": text[:255],
            "hs_task_body": escape(text).replace("\n", "<br>"),  # shown as HTML
            "hs_task_type": "CALL",
            self._table.task_key: key,
            **({"hubspot_owner_id": owner} if owner else {}),
            **({} if stands else {STATUS: "NOT_STARTED"}),  # a new one is not started, too
        }
        one = {"idProperty": self._table.task_key, "id": key, "properties": task}
        reply = await self._asker.must("POST", f"{TASKS}/batch/upsert", body={"inputs": [one]})
        task_id = at_path(reply, "results.0.id")
        if not task_id:
            told = at_path(reply, "errors.0.message") or "the answer holds no id of a task"
            raise CrmError(Answer.UNKNOWN, self._asker.plain(str(told)))
        to = f"{PLURALS[ref.kind]}/{part(ref.id)}"
        await self._asker.must("PUT", f"/crm/v4/objects/tasks/{part(str(task_id))}/associations/default/{to}")
        return RecordRef("task", str(task_id))

    async def end(self, *, key: str, done: bool) -> None:
        """End it: it is completed, or put into the recycling bin. What people completed stays as they left it."""
        self._must_have_key()
        asked = {"idProperty": self._table.task_key, "inputs": [{"id": key}], "properties": [STATUS]}
        for task in _results(await self._asker.must("POST", f"{TASKS}/batch/read", body=asked)):
            if at_path(task, f"properties.{STATUS}") == DONE:
                continue
            path = f"{TASKS}/{part(str(at_path(task, 'id')))}"
            if done:
                await self._asker.ask("PATCH", path, body={"properties": {STATUS: DONE}}, absent=True)
            else:
                await self._asker.ask("DELETE", path, absent=True)

    def _must_have_key(self) -> None:
        if not self._table.task_key:
            raise CrmError(Answer.PERMANENT, f"{self._where}: hubspot.task_key is empty: no follow-ups")


def _results(reply: Any) -> list[Any]:
    found = at_path(reply, "results")
    if not isinstance(found, list):
        raise CrmError(Answer.UNKNOWN, "the answer holds no list of tasks")
    return found
