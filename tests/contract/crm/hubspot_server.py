"""A strict fake of HubSpot's CRM API, made from what HubSpot publishes; nothing was tried against the real one.

| rule | from |
| --- | --- |
| paths and bodies of `calls`: batch upsert, update, read, PATCH, DELETE; an upsert takes no associations; what is not \
there is an error, "" clears | OpenAPI of Calls v3, HubSpot/HubSpot-public-api-spec-collection |
| properties of calls and tasks, their words; `hs_timestamp` is required | docs/guides/api/crm/engagements |
| unique properties: `hasUniqueValue`; "Unable to perform update/upsert by non-unique ... property" | \
docs/api/crm/properties; hubspot-api-nodejs issue 548 |
| search: 5 groups, 6 filters in each, 18 in all, 3,000 characters, 10,000 results, one sort; late; without what is \
archived; numbers without the country's code | docs/api-reference/search/guide |
| associations by default type, and reading them | docs/api-reference/crm-associations-v4 |
| 429 with `policyName` and headers, 190 in 10 s | docs/developer-tooling/platform/usage-guidelines |
| 401, 403, 207 | docs/api-reference/error-handling |

Assumed: a batch with one bad value is refused whole; a 207 of `batch/update` names absent ids in `context.ids`; PATCH
of what is archived is 404; a repeated association is no error.
"""

import itertools
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.contract.crm.strict_http import Refusal, StrictServer, Window

TOKEN = "pat-eu1-open-sesame"
NO_ANSWER = "73a0d17f-1163-4015-bdd5-ec830791da20"
CONNECTED = "f240bbac-87c9-4f6e-bf70-924b57d47db7"
DISPOSITIONS = {NO_ANSWER: "No answer", CONNECTED: "Connected"}
CALL_STATUS = [
    "BUSY",
    "CALLING_CRM_USER",
    "CANCELED",
    "COMPLETED",
    "CONNECTING",
    "FAILED",
    "IN_PROGRESS",
    "MISSED",
    "NO_ANSWER",
    "QUEUED",
    "RINGING",
]

TEXT, NUMBER, TIME, BOOL = "string", "number", "datetime", "bool"
COMMON: Mapping[str, Any] = {"hubspot_owner_id": TEXT, "hs_lastmodifieddate": TIME, "hs_object_id": NUMBER}
PROPERTIES: dict[str, dict[str, Any]] = {
    "calls": {
        **COMMON,
        "hs_timestamp": TIME,
        "hs_call_title": TEXT,
        "hs_call_body": TEXT,
        "hs_call_callee_object_id": TEXT,
        "hs_call_callee_object_type": TEXT,
        "hs_call_direction": ["INBOUND", "OUTBOUND"],
        "hs_call_disposition": list(DISPOSITIONS),
        "hs_call_duration": NUMBER,
        "hs_call_from_number": TEXT,
        "hs_call_to_number": TEXT,
        "hs_call_recording_url": TEXT,
        "hs_call_status": CALL_STATUS,
        "hs_call_source": TEXT,
        "hs_call_external_id": TEXT,
        "hs_call_external_account_id": TEXT,
        "hs_call_app_id": TEXT,
        "hs_activity_type": TEXT,
        "waihu_call_id": TEXT,
    },
    "tasks": {
        **COMMON,
        "hs_timestamp": TIME,
        "hs_task_body": TEXT,
        "hs_task_subject": TEXT,
        "hs_task_status": ["COMPLETED", "NOT_STARTED"],
        "hs_task_priority": ["LOW", "MEDIUM", "HIGH"],
        "hs_task_type": ["EMAIL", "CALL", "TODO"],
        "hs_task_reminders": TIME,
        "waihu_follow_up_id": TEXT,
    },
    "contacts": {
        "hubspot_owner_id": TEXT,
        "hs_object_id": NUMBER,
        "lastmodifieddate": TIME,
        "firstname": TEXT,
        "lastname": TEXT,
        "email": TEXT,
        "phone": TEXT,
        "mobilephone": TEXT,
        "hs_lead_status": ["NEW", "OPEN", "IN_PROGRESS", "UNQUALIFIED"],
        "hs_country_region_code": TEXT,
        "associatedcompanyid": NUMBER,
        "hs_searchable_calculated_phone_number": TEXT,
        "hs_searchable_calculated_mobile_number": TEXT,
        "do_not_call": BOOL,
    },
    "companies": {**COMMON, "name": TEXT, "domain": TEXT, "phone": TEXT, "hs_lead_status": TEXT},
    "deals": {
        **COMMON,
        "dealname": TEXT,
        "dealstage": TEXT,
        "amount": NUMBER,
        "deal_currency_code": TEXT,
        "hs_is_closed": BOOL,
    },
}
READ_ONLY = {"hs_object_id", "hs_lastmodifieddate", "lastmodifieddate"}
UNIQUE = {("calls", "waihu_call_id"), ("tasks", "waihu_follow_up_id"), ("contacts", "email")}
TYPES = {"calls": "0-48", "tasks": "0-27", "contacts": "0-1", "companies": "0-2", "deals": "0-3"}
INPUT_KEYS = {"idProperty", "id", "properties", "objectWriteTraceId"}
OPERATORS = {"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"}


class HubSpotServer(StrictServer):
    """The account. `late` ids are not in its search yet."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in PROPERTIES}
        self.archived: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in PROPERTIES}
        self.links: set[tuple[str, str, str, str]] = set()
        self.late: set[str] = set()
        self.tells_absent = True
        """Whether `batch/update` names the ids that are not there, or leaves them out."""
        self.owners = {"501": "anna@example.com", "502": "ben@example.com"}
        self.properties = {kind: dict(own) for kind, own in PROPERTIES.items()}
        self.unique = set(UNIQUE)
        self.window = Window(190, 10.0)
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self._ids = itertools.count(1001)

    def add(self, kind: str, *, changed: datetime | None = None, **properties: Any) -> str:
        """Put a record there as a person would; return its id."""
        row_id = str(next(self._ids))
        row = {name: str(value) for name, value in properties.items()}
        self.objects[kind][row_id] = row
        self._touch(kind, row_id, changed)
        return row_id

    def archive(self, kind: str, row_id: str) -> None:
        """Delete as a person would: into the recycling bin."""
        self.archived[kind][row_id] = self.objects[kind].pop(row_id)

    def link(self, kind: str, row_id: str, to: str, to_id: str) -> None:
        """Associate two records."""
        self.links.add((kind, row_id, to, to_id))

    def malformed(self, why: str) -> Refusal:
        return _invalid(why)

    def do(self, request: web.Request, body: Any) -> web.Response:
        if self.window.full():
            raise Refusal(
                429,
                {
                    "status": "error",
                    "message": "You have reached your ten_secondly_rolling limit.",
                    "errorType": "RATE_LIMIT",
                    "policyName": "TEN_SECONDLY_ROLLING",
                },
                {"X-HubSpot-RateLimit-Max": "190", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"},
            )
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            said = f"Authentication credentials not found: {request.headers.get('Authorization')}"
            raise Refusal(401, {"status": "error", "message": said, "category": "INVALID_AUTHENTICATION"})
        parts = request.path.strip("/").split("/")
        match request.method, parts:
            case "GET", ["account-info", "v3", "details"]:
                return web.json_response({"portalId": 4711, "accountType": "DEVELOPER_TEST"})
            case "GET", ["calling", "v1", "dispositions"]:
                return web.json_response(
                    [{"id": guid, "label": label, "deleted": False} for guid, label in DISPOSITIONS.items()]
                )
            case "GET", ["crm", "v3", "properties", kind, name]:
                return self._property(kind, name)
            case "GET", ["crm", "v3", "owners"]:
                return self._owners(request.query)
            case "GET", ["crm", "v3", "owners", owner] if owner in self.owners:
                return web.json_response({"id": owner, "email": self.owners[owner]})
            case "POST", ["crm", "v3", "objects", kind, "batch", action] if kind in self.objects:
                return self._batch(kind, action, _inputs(body), body)
            case "POST", ["crm", "v3", "objects", kind, "search"] if kind in self.objects:
                return self._search(kind, body)
            case "PATCH", ["crm", "v3", "objects", kind, row_id] if row_id in self.objects.get(kind, {}):
                return web.json_response(self._shown(kind, self._change(kind, row_id, body["properties"])))
            case "DELETE", ["crm", "v3", "objects", kind, row_id] if row_id in self.objects.get(kind, {}):
                self.archive(kind, row_id)
                return web.Response(status=204)
            case "PUT", ["crm", "v4", "objects", kind, row_id, "associations", "default", to, to_id]:
                return web.json_response(
                    {"status": "COMPLETE", "results": [self._join(kind, row_id, to, to_id)]}
                )
            case "POST", ["crm", "v4", "associations", kind, to, "batch", "associate", "default"]:
                return self._join_all(kind, to, _inputs(body))
            case "POST", ["crm", "v4", "associations", kind, to, "batch", "read"]:
                return self._linked(kind, to, _inputs(body))
        raise Refusal(404, {"status": "error", "message": "resource not found"})

    def _property(self, kind: str, name: str) -> web.Response:
        if name not in self.properties[kind]:
            raise Refusal(404, {"status": "error", "message": f"Property {name} does not exist"})
        return web.json_response({"name": name, "hasUniqueValue": (kind, name) in self.unique})

    def _owners(self, query: Mapping[str, str]) -> web.Response:
        found = [
            {"id": owner, "email": email}
            for owner, email in self.owners.items()
            if email == query.get("email", email)
        ]
        return web.json_response({"results": found[: int(query.get("limit", "100"))]})

    def _batch(self, kind: str, action: str, inputs: list[dict[str, Any]], body: Any) -> web.Response:
        match action:
            case "upsert":
                return self._upsert(kind, inputs)
            case "update":
                return self._update(kind, inputs)
            case "read":
                return self._read(kind, inputs, body)
        raise Refusal(404, {"status": "error", "message": "resource not found"})

    def _upsert(self, kind: str, inputs: list[dict[str, Any]]) -> web.Response:
        for one in inputs:
            if set(one) - INPUT_KEYS or not isinstance(one.get("properties"), dict):
                raise _invalid(f"Invalid input JSON: unrecognized field in {sorted(one)}")
            name = one.get("idProperty")
            if (kind, name) not in self.unique:
                raise _invalid(f"Unable to perform update/upsert by non-unique {TYPES[kind]} property {name}")
            known = self._by(kind, str(name), str(one["id"]))
            self._check(kind, one["properties"], new=known is None)
        results = []
        for one in inputs:
            name, value = str(one["idProperty"]), str(one["id"])
            row_id = self._by(kind, name, value)
            new = row_id is None
            if row_id is None:
                row_id = str(next(self._ids))
                self.objects[kind][row_id] = {name: value}
            self._change(kind, row_id, {**one["properties"], name: value})
            results.append({**self._shown(kind, row_id), "new": new})
        return web.json_response({"status": "COMPLETE", "results": results})

    def _update(self, kind: str, inputs: list[dict[str, Any]]) -> web.Response:
        for one in inputs:
            self._check(kind, one["properties"], new=False)
        there = [one for one in inputs if one["id"] in self.objects[kind]]
        absent = [one["id"] for one in inputs if one["id"] not in self.objects[kind]]
        results = [self._shown(kind, self._change(kind, one["id"], one["properties"])) for one in there]
        return _multi(results, absent if self.tells_absent else [])

    def _read(self, kind: str, inputs: list[dict[str, Any]], body: Any) -> web.Response:
        if set(body) - {"inputs", "properties", "propertiesWithHistory", "idProperty"}:
            raise _invalid(f"Invalid input JSON: unrecognized field in {sorted(body)}")
        name = body.get("idProperty")
        if name is not None and (kind, name) not in self.unique:
            raise _invalid(f"{name} is not a unique property")
        wanted = [str(one["id"]) for one in inputs]
        found = {one: one if name is None else self._by(kind, name, one) for one in wanted}
        there = {one: row for one, row in found.items() if row in self.objects[kind]}
        rows = [self._shown(kind, str(row), body.get("properties")) for row in there.values()]
        return _multi(rows, [one for one in wanted if one not in there])

    def _check(self, kind: str, properties: Mapping[str, Any], *, new: bool) -> None:
        for name, value in properties.items():
            known = self.properties[kind].get(name)
            if known is None:
                raise _wrong(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
            if name in READ_ONLY:
                raise _wrong(name, "READ_ONLY_VALUE", f'"{name}" is a read only property')
            if not isinstance(value, str):
                raise _invalid(f"Invalid input JSON: cannot read {name} as a string: {value!r}")
            if value != "":
                self._check_value(name, known, value)
        if new and kind in ("calls", "tasks") and not properties.get("hs_timestamp"):
            raise _wrong("hs_timestamp", "REQUIRED_FIELD", "hs_timestamp is required")

    def _check_value(self, name: str, known: Any, value: str) -> None:
        if isinstance(known, list) and value not in known:
            raise _wrong(name, "INVALID_OPTION", f"{value} was not one of the allowed options")
        if known == NUMBER and not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise _wrong(name, "INVALID_INTEGER", f"{value} was not a valid number.")
        if known == TIME and _time(value) is None:
            raise _wrong(name, "INVALID_DATE", f"{value} was not a valid date.")
        if known == TEXT and len(value) > 65_536:
            raise _wrong(name, "PROPERTY_VALUE_TOO_LONG", f"{name} is too long")
        if name == "hubspot_owner_id" and value not in self.owners:
            raise _wrong(name, "INVALID_OWNER_ID", f"{value} is no owner")
        if name == "hs_call_recording_url" and not value.startswith("https://"):
            raise _wrong(name, "INVALID_URL", "only https is accepted")

    def _change(self, kind: str, row_id: str, properties: Mapping[str, Any]) -> str:
        self._check(kind, properties, new=False)
        self.objects[kind][row_id] |= properties
        self._touch(kind, row_id, None)
        return row_id

    def _touch(self, kind: str, row_id: str, changed: datetime | None) -> None:
        row = self.objects[kind][row_id]
        name = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
        row[name] = (changed or self.now).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row["hs_object_id"] = row_id
        for plain, made in (("phone", "phone"), ("mobilephone", "mobile")):
            if row.get(plain):
                row[f"hs_searchable_calculated_{made}_number"] = _local(row[plain])

    def _by(self, kind: str, name: str, value: str) -> str | None:
        return next((one for one, row in self.objects[kind].items() if row.get(name) == value), None)

    def _shown(self, kind: str, row_id: str, names: list[str] | None = None) -> dict[str, Any]:
        row = self.objects[kind][row_id]
        shown = (
            row if names is None else {name: row.get(name) for name in names if name in self.properties[kind]}
        )
        return {"id": row_id, "properties": dict(shown), "archived": False}

    def _search(self, kind: str, body: Any) -> web.Response:
        if len(json.dumps(body)) > 3000:
            raise _invalid("the body exceeds 3,000 characters")
        groups = body.get("filterGroups", [])
        every = [one for group in groups for one in group["filters"]]
        if len(groups) > 5 or len(every) > 18 or any(len(group["filters"]) > 6 for group in groups):
            raise _invalid("too many filters")
        sorts, limit = body.get("sorts", []), body.get("limit", 10)
        if len(sorts) > 1 or not 1 <= limit <= 200 or int(body.get("after", 0)) + limit > 10_000:
            raise _invalid("one sort, 200 on a page, 10,000 in all")
        for one in every:
            if one["operator"] not in OPERATORS or one["propertyName"] not in self.properties[kind]:
                raise _invalid(f"there is no operator or property: {one}")
        rows = [
            (one, row)
            for one, row in self.objects[kind].items()
            if one not in self.late
            and (not groups or any(all(_fits(row, f) for f in group["filters"]) for group in groups))
        ]
        if sorts:
            name = sorts[0]["propertyName"]
            # ties come in no order that one could rely on
            rows.sort(
                key=lambda pair: (_order(pair[1].get(name)), -int(pair[0]) if name != "hs_object_id" else 0)
            )
        found = [self._shown(kind, one, body.get("properties")) for one, _ in rows[:limit]]
        return web.json_response({"total": len(rows), "results": found})

    def _join(self, kind: str, row_id: str, to: str, to_id: str) -> dict[str, Any]:
        if row_id not in self.objects.get(kind, {}) or to_id not in self.objects.get(to, {}):
            raise _invalid(f"one of the objects is not valid: {kind} {row_id}, {to} {to_id}")
        self.link(kind, row_id, to, to_id)
        return {"from": {"id": row_id}, "to": {"id": to_id}, "associationSpec": {"associationTypeId": 194}}

    def _join_all(self, kind: str, to: str, inputs: list[dict[str, Any]]) -> web.Response:
        for one in inputs:
            if one["to"]["id"] not in self.objects.get(to, {}):
                raise _invalid(f"one of the objects is not valid: {to} {one['to']['id']}")
        results = [self._join(kind, one["from"]["id"], to, one["to"]["id"]) for one in inputs]
        return web.json_response({"status": "COMPLETE", "results": results})

    def _linked(self, kind: str, to: str, inputs: list[dict[str, Any]]) -> web.Response:
        results = []
        for one in inputs:
            ends = [d for a, b, c, d in sorted(self.links) if (a, b, c) == (kind, one["id"], to)]
            if ends:
                results.append({"from": {"id": one["id"]}, "to": [{"toObjectId": int(end)} for end in ends]})
        return web.json_response({"status": "COMPLETE", "results": results}, status=200 if results else 207)


def _inputs(body: Any) -> list[dict[str, Any]]:
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list) or not 1 <= len(inputs) <= 100:
        raise _invalid("inputs: 1 to 100 are allowed")
    return inputs


def _invalid(message: str) -> Refusal:
    return Refusal(400, {"status": "error", "message": message, "category": "VALIDATION_ERROR"})


def _wrong(name: str, error: str, message: str) -> Refusal:
    told = json.dumps([{"isValid": False, "message": message, "error": error, "name": name}])
    return _invalid(f"Property values were not valid: {told}")


def _multi(results: list[dict[str, Any]], absent: list[str]) -> web.Response:
    body: dict[str, Any] = {"status": "COMPLETE", "results": results}
    if absent:
        said = "Could not get some objects, they may be deleted or not exist."
        error = {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": said,
            "context": {"ids": absent},
        }
        body |= {"numErrors": 1, "errors": [error]}
    return web.json_response(body, status=207 if absent else 200)


def _fits(row: Mapping[str, str], one: Mapping[str, Any]) -> bool:
    value, operator = row.get(one["propertyName"]), one["operator"]
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return (value not in (None, "")) == (operator == "HAS_PROPERTY")
    if operator in ("IN", "NOT_IN"):
        return (value in one["values"]) == (operator == "IN")
    if value in (None, ""):
        return False
    left, right = _order(value), _order(one["value"])
    return {
        "EQ": left == right,
        "NEQ": left != right,
        "LT": left < right,
        "LTE": left <= right,
        "GT": left > right,
        "GTE": left >= right,
    }[operator]


def _order(value: Any) -> tuple[int, float, str]:
    """Return what values are compared by: times and numbers as numbers, the rest as text whatever its case."""
    text = str(value or "")
    at = _time(text)
    return (0, at, "") if at is not None else (1, 0.0, text.lower())


def _time(value: str) -> float | None:
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    try:
        return datetime.fromisoformat(value).timestamp() * 1000
    except ValueError:
        return None


def _local(number: str) -> str:
    """Return a number of the test's countries without the country's code."""
    digits = re.sub(r"\D", "", number)
    for code in ("49", "86", "1"):
        if number.startswith("+") and digits.startswith(code):
            return digits.removeprefix(code)
    return digits.removeprefix("0")
