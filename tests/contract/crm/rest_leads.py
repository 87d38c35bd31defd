"""The part of the REST server that keeps leads, follow-ups and lists. It refuses what it does not know.

Leads are listed by the time of change, or by id, or in pages of each kind; deleted ones are left out.
"""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.builders import NOW

MOST: int = 100
"""Records of one answer, whatever is asked for."""
LEADS = frozenset({"from", "before", "behind", "sort", "limit", "offset", "page", "cursor", "ids", "phone"})
CALLS = frozenset(
    {"q", "from", "before", "until", "behind", "sort", "limit", "offset", "cursor", "marks", "home"}
)
TASK = frozenset({"title", "due", "lead", "done", "owner"})


class RestLeads:
    """Leads and follow-ups of the server."""

    def __init__(self) -> None:
        self.leads: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.now = NOW + timedelta(hours=1)
        """By its own clock, which answers tell."""
        self._ids = itertools.count(101)

    def add(self, *, changed: datetime, **fields: Any) -> str:
        """Put a lead there; return its id."""
        row_id = f"L{next(self._ids)}"
        self.leads[row_id] = {"id": row_id, "changed": changed.isoformat(), "status": "new"} | fields
        return row_id

    def served(self, request: web.Request, parts: list[str], body: Any) -> web.Response | None:
        """Answer what is about leads and follow-ups, None: it is about something else."""
        match request.method, parts:
            case "GET", ["leads"]:
                return self._listed(request, list(self.leads.values()), LEADS)
            case "GET", ["leads", row_id]:
                return self._one(self.leads.get(row_id))
            case "GET", ["tasks"]:
                found = [row for row in self.tasks.values() if request.query["q"][:6] in row["title"]]
                return web.json_response({"list": found})
            case "POST", ["tasks"]:
                return self._task(f"T{next(self._ids)}", {"done": False, "owner": None}, body)
            case "PATCH", ["tasks", row_id] if row_id in self.tasks:
                return self._task(row_id, self.tasks[row_id], body)
            case "DELETE", ["tasks", row_id] if row_id in self.tasks:
                del self.tasks[row_id]
                return web.Response(status=204)
        return None

    def _one(self, row: Mapping[str, Any] | None) -> web.Response:
        if row is None:
            return web.json_response({"error": "no such record"}, status=404)
        return web.json_response({"record": row})

    def _task(self, row_id: str, before: Mapping[str, Any], body: Any) -> web.Response:
        if wrong := set(body) - TASK:
            return web.json_response({"error": f"no field {wrong}"}, status=422)
        row = {"id": row_id, **before, **body}
        if row["lead"] not in self.leads:
            return web.json_response({"error": "no such lead"}, status=404)
        self.tasks[row_id] = row
        return web.json_response({"task": {"id": row_id}})

    def _listed(
        self, request: web.Request, rows: list[dict[str, Any]], known: frozenset[str], *, at: str = "changed"
    ) -> web.Response:
        """Answer a list: filtered, sorted, and the part that is asked for."""
        asked = request.query
        if wrong := set(asked) - known:
            return web.json_response({"error": f"no parameter {wrong}"}, status=400)
        for name, keeps in _FILTERS.items():
            if name in asked:
                rows = [row for row in rows if keeps(row, asked[name], at)]
        if "sort" in asked:
            rows.sort(key=lambda row: str(row["id" if asked["sort"] == "id" else at]))
        limit = min(int(asked.get("limit", MOST)), MOST)
        first = int(asked.get("offset", asked.get("cursor", 0))) + limit * (int(asked.get("page", 1)) - 1)
        some = rows[first : first + limit]
        more = {"next": str(first + limit)} if first + limit < len(rows) else {}
        date = self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return web.json_response({"list": some, **more}, headers={"Date": date})

    def calls(self, request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
        """Answer a list of calls."""
        if "q" in request.query:
            # as loose as many searches are: part of a word is enough
            rows = [row for row in rows if request.query["q"][:8] in row.get("mark", "")]
        return self._listed(request, rows, CALLS, at="started")


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _digits(text: str) -> str:
    return "".join(one for one in text if one.isdecimal())


_FILTERS: Mapping[str, Any] = {
    "from": lambda row, value, at: _moment(row[at]) >= _moment(value),
    "before": lambda row, value, at: _moment(row[at]) < _moment(value),
    "until": lambda row, value, at: _moment(row[at]) < _moment(value),
    "behind": lambda row, value, _: row["id"] > value,
    "ids": lambda row, value, _: row["id"] in value.split(","),
    "marks": lambda row, value, _: row.get("mark") in value.split(","),
    "home": lambda row, value, _: row.get("home") == value,
    "phone": lambda row, value, _: _digits(value)[-6:] in _digits(row.get("phone", "")),
}
