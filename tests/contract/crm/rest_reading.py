"""The tables by which the REST server is read, and its records as the reading part of the suite makes them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from crm_sync.port import Crm
from cti.model.crm import RecordRef
from tests.builders import NOW
from tests.contract.crm.rest_leads import RestLeads

PAGES: Mapping[str, Mapping[str, Any]] = {
    "keyset": {
        "query": {"sort": "changed", "limit": "{limit}"},
        "since": {"query": {"from": "{since|iso}"}},
        "ties": {
            "query": {"sort": "id", "from": "{since|iso}", "before": "{next|iso}", "behind": "{behind}"}
        },
        "overlap_seconds": 0,
    },
    "offset": {"query": {"limit": "{limit}", "offset": "{offset}"}},
    "page": {"query": {"limit": "{limit}", "page": "{page}"}},
    "next": {"query": {"limit": "{limit}", "cursor": "{cursor}"}, "next": "next"},
}
BATCH = {"path": "/api/leads", "query": {"ids": "{ids}"}, "list": "list", "at_once": 20}
ONE = {"path": "/api/leads/{id}", "record": "record"}
KIND = {
    "name": ["name"],
    "numbers": ["phone", "phones"],
    "stage": "status",
    "do_not_call": "silent",
    "changed_at": "changed",
    "over": [
        {"at": "status", "is": ["sold"], "why": "won"},
        {"at": "archived", "is": ["true"], "why": "archived"},
    ],
    "next_follow_up_at": "next",
    "fields": {"city": "place.city"},
}
CALLS = {
    "mark": "mark",
    "homes": [{"kind": "lead", "id": "home"}],
    "started_at": "started",
    "length": {"seconds": 1},
    "lists": [
        {
            "path": "/api/calls",
            "list": "list",
            "query": {"sort": "started", "limit": "{limit}", "until": "{until|iso}"},
            "since": {"query": {"from": "{since|iso}"}},
            "ties": {
                "query": {"sort": "id", "from": "{since|iso}", "before": "{next|iso}", "behind": "{behind}"}
            },
            "overlap_seconds": 0,
        }
    ],
    "by_id": {"path": "/api/calls", "query": {"marks": "{call_ids}"}, "list": "list", "at_once": 20},
}
TASK = {"title": "{text} {mark}", "due": "{at|iso}", "lead": "{home}", "done": False, "owner": "{user}"}
FOLLOW_UPS = {
    "id": "task.id",
    "find": {"path": "/api/tasks", "query": {"q": "{mark}"}, "list": "list", "mark": "title"},
    "create": {"method": "POST", "path": "/api/tasks", "body": TASK},
    "change": {"method": "PATCH", "path": "/api/tasks/{id}", "body": TASK},
    "done": {"method": "PATCH", "path": "/api/tasks/{id}", "body": {"done": True}},
    "cancel": {"method": "DELETE", "path": "/api/tasks/{id}"},
}


def reading_tables(paging: str = "keyset", *, one_by_one: bool = False) -> dict[str, Any]:
    """Return what of the table `[rest]` says how this CRM is read."""
    source = {"kind": "lead", "path": "/api/leads", "list": "list", "paging": paging, **PAGES[paging]}
    number = {"kind": "lead", "path": "/api/leads", "query": {"phone": "{spelling}"}, "list": "list"}
    return {
        "record_url": "/leads/{id}",
        "kinds": {"lead": {**KIND, "read": ONE if one_by_one else BATCH}},
        "sources": {source_of(paging): source},
        "numbers": [number],
        "calls": CALLS,
        "remove": {"method": "DELETE", "path": "/api/calls/{id}"},
        "follow_ups": FOLLOW_UPS,
    }


def source_of(paging: str) -> str:
    """Return a source's name; `leads` is one whose records are in order within a page only."""
    return "new" if paging == "keyset" else "leads"


class RestReading:
    """See `reading_houses.ReadingHouse`."""

    def __init__(self, crm: Crm, server: RestLeads, source: str) -> None:
        self.crm = crm
        self.source = source
        self._server = server

    async def add_record(self, number: int, *, changed_seconds: float, phone: str) -> RecordRef:
        changed = NOW + timedelta(seconds=changed_seconds)
        return RecordRef("lead", self._server.add(changed=changed, name=f"Person {number}", phone=phone))

    async def remove_record(self, ref: RecordRef) -> None:
        del self._server.leads[ref.id]

    async def follow_ups(self, key: str) -> Sequence[Mapping[str, Any]]:
        return [
            {"id": row["id"], "at": row["due"], "home": row["lead"]}
            for row in self._server.tasks.values()
            if f"[cti:{key}]" in row["title"] and not row["done"]
        ]
