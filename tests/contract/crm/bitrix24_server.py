"""A strict fake of Bitrix24's REST API, made from what Bitrix24 publishes; nothing was tried against the real one.

| rule | from (github.com/bitrix-tools/b24-rest-docs) |
| --- | --- |
| fields of an activity, which ones it must have; an update of some | activity-base/crm-activity-fields, -add, -update |
| deleting one, "Activity is not found" | activity-base/crm-activity-delete |
| filters, order, fifty on a page, `start = -1` | crm-activity-list, crm-lead-list, performance/huge-data |
| bindings, `ACTIVITY_IS_ALREADY_BOUND` | binding/crm-activity-binding-add |
| commands as queries, fifty at most, `$result[...]`, `result` and `result_error` | how-to-call-rest-api/batch |
| twenty values | duplicates/crm-duplicate-find-by-comm |
| 503 QUERY_LIMIT_EXCEEDED, 429 OPERATION_TIME_LIMIT, `operating_reset_at` | limits |
| codes of errors | _includes/system-errors |
| enumerations: direction, type of content and of activity | crm/data-types |

Stricter than the real one: a field that is not there is refused (it would be left out). Assumed: an update with an
owner or a communication makes all bindings of an activity anew, one without leaves them; a reference to a result is put
in anywhere in a value; times of a filter are compared as moments; an empty part of a batch's answer is a list.
"""

import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.contract.crm.strict_http import Refusal, StrictServer

CODE = "opensesame1234567"
ACTIVITY = {
    "ID",
    "OWNER_ID",
    "OWNER_TYPE_ID",
    "TYPE_ID",
    "PROVIDER_ID",
    "PROVIDER_TYPE_ID",
    "PROVIDER_GROUP_ID",
    "ASSOCIATED_ENTITY_ID",
    "SUBJECT",
    "START_TIME",
    "END_TIME",
    "DEADLINE",
    "COMPLETED",
    "STATUS",
    "RESPONSIBLE_ID",
    "PRIORITY",
    "NOTIFY_TYPE",
    "NOTIFY_VALUE",
    "DESCRIPTION",
    "DESCRIPTION_TYPE",
    "DIRECTION",
    "LOCATION",
    "CREATED",
    "AUTHOR_ID",
    "LAST_UPDATED",
    "EDITOR_ID",
    "SETTINGS",
    "ORIGIN_ID",
    "ORIGINATOR_ID",
    "RESULT_STATUS",
    "RESULT_STREAM",
    "RESULT_SOURCE_ID",
    "PROVIDER_PARAMS",
    "PROVIDER_DATA",
    "RESULT_MARK",
    "RESULT_VALUE",
    "RESULT_SUM",
    "RESULT_CURRENCY_ID",
    "AUTOCOMPLETE_RULE",
    "BINDINGS",
    "COMMUNICATIONS",
    "FILES",
    "WEBDAV_ELEMENTS",
    "IS_INCOMING_CHANNEL",
}
READ_ONLY = {"ID", "CREATED", "LAST_UPDATED", "AUTHOR_ID", "EDITOR_ID", "DEADLINE"}
ENUMS = {
    "TYPE_ID": {"1", "2", "3", "4", "5", "6"},
    "DIRECTION": {"0", "1", "2"},
    "DESCRIPTION_TYPE": {"0", "1", "2", "3"},
    "COMPLETED": {"Y", "N"},
    "PRIORITY": {"0", "1", "2", "3"},
    "OWNER_TYPE_ID": {"1", "2", "3", "4"},
}
KINDS = {"1": "lead", "2": "deal", "3": "contact", "4": "company"}
RECORD: Mapping[str, set[str]] = {
    "lead": {
        "ID",
        "TITLE",
        "NAME",
        "LAST_NAME",
        "STATUS_ID",
        "STATUS_SEMANTIC_ID",
        "ADDRESS_COUNTRY_CODE",
        "ASSIGNED_BY_ID",
        "DATE_MODIFY",
        "CONTACT_ID",
        "COMPANY_ID",
        "PHONE",
        "UF_CRM_1",
    },
    "contact": {
        "ID",
        "NAME",
        "LAST_NAME",
        "ADDRESS_COUNTRY_CODE",
        "ASSIGNED_BY_ID",
        "DATE_MODIFY",
        "COMPANY_ID",
        "PHONE",
    },
    "company": {"ID", "TITLE", "ASSIGNED_BY_ID", "DATE_MODIFY", "PHONE"},
    "deal": {
        "ID",
        "TITLE",
        "STAGE_ID",
        "OPPORTUNITY",
        "CURRENCY_ID",
        "CONTACT_ID",
        "COMPANY_ID",
        "DATE_MODIFY",
        "CLOSED",
    },
}
_PREFIX = re.compile(r"(>=|<=|!@|>|<|@|=|)([A-Z_0-9]+)")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_RESULT = re.compile(r"\$result((?:\[[^\]]*\])+)", re.IGNORECASE)


class Bitrix24Server(StrictServer):
    """The account."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in RECORD}
        self.activities: dict[str, dict[str, Any]] = {}
        self.bindings: set[tuple[str, str, str]] = set()
        self.users = {"1": "boss@example.com", "6": "anna@example.com"}
        self.bucket = 50
        """Requests that still fit; it does not leak by itself."""
        self.blocked: set[str] = set()
        """Methods that ran too long."""
        self.resets_at: float | None = None
        self.commands: list[str] = []
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self._ids = itertools.count(101)

    def add(self, kind: str, *, changed: datetime | None = None, phone: str = "", **fields: Any) -> str:
        """Put a record there as a person would; return its id."""
        row_id = str(next(self._ids))
        row = {**fields, "ID": row_id, "DATE_MODIFY": (changed or self.now).isoformat(timespec="seconds")}
        if phone:
            row["PHONE"] = [{"ID": row_id, "VALUE_TYPE": "WORK", "VALUE": phone, "TYPE_ID": "PHONE"}]
        self.records[kind][row_id] = row
        return row_id

    def malformed(self, why: str) -> Refusal:
        return _wrong("INVALID_REQUEST", why)

    def do(self, request: web.Request, body: Any) -> web.Response:
        if self.bucket <= 0:
            raise _wrong("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)
        self.bucket -= 1
        parts = request.path.strip("/").split("/")
        if request.method != "POST" or len(parts) != 4 or parts[:3] != ["rest", "1", CODE]:
            raise _wrong("NO_AUTH_FOUND", f"Wrong authorization data: {request.path}", 401)
        method = parts[3].removesuffix(".json")
        params = body if isinstance(body, dict) else {}
        result = self._batch(params) if method == "batch" else self._call(method, params)
        return web.json_response({"result": result, "time": self._time()})

    def _time(self) -> dict[str, Any]:
        return {"operating": 1.5, **({"operating_reset_at": self.resets_at} if self.resets_at else {})}

    def _batch(self, params: Mapping[str, Any]) -> dict[str, Any]:
        commands = params.get("cmd")
        if not isinstance(commands, dict) or len(commands) > 50:
            raise _wrong("ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
        done: dict[str, Any] = {}
        wrong: dict[str, Any] = {}
        for key, text in commands.items():
            method, _, query = text.partition("?")
            given = parse_php([(name, _put_in(value, done)) for name, value in parse_qsl(query, True)])
            try:
                if method == "batch":
                    raise _wrong("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed", 405)
                done[key] = self._call(method, given)
            except Refusal as refusal:
                wrong[key] = refusal.body
        times = {key: self._time() for key in done}
        return {"result": done or [], "result_error": wrong or [], "result_time": times or []}

    def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        self.commands.append(method)
        if method in self.blocked:
            raise _wrong("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit", 429)
        match method.split("."):
            case ["profile"]:
                return {"ID": "1", "ADMIN": True, "NAME": "Bot", "LAST_NAME": "Waihu"}
            case ["scope"]:
                return ["crm", "user_basic"]
            case ["user", "get"]:
                return self._users(params["FILTER"])
            case ["crm", "activity", "fields"]:
                return {name: {"type": "string"} for name in ACTIVITY}
            case ["crm", "activity", "add"]:
                return self._add(params["fields"])
            case ["crm", "activity", "update"]:
                return self._update(str(params["id"]), params["fields"])
            case ["crm", "activity", "delete"]:
                return self._delete(str(params["id"]))
            case ["crm", "activity", "list"]:
                return _listed(list(self.activities.values()), params, ACTIVITY)
            case ["crm", "activity", "binding", "add"]:
                return self._bind(params)
            case ["crm", "duplicate", "findbycomm"]:
                return self._doubles(params)
            case ["crm", ("lead" | "contact" | "company" | "deal") as kind, "list"]:
                return _listed(list(self.records[kind].values()), params, RECORD[kind])
        raise _wrong("ERROR_METHOD_NOT_FOUND", f"Method {method} not found", 404)

    def _users(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"ID": user, "EMAIL": email, "ACTIVE": True}
            for user, email in self.users.items()
            if given.get("EMAIL", email) == email and str(given.get("ID", user)) == user
        ]

    def _add(self, fields: Mapping[str, Any]) -> int:
        for name in ("SUBJECT", "RESPONSIBLE_ID", "TYPE_ID"):
            if not fields.get(name):
                raise _wrong("", f"The field {name} is not defined or empty")
        if not fields.get("COMMUNICATIONS"):
            raise _wrong("", "The field COMMUNICATIONS is not defined or invalid")
        row_id = next(self._ids)
        self._check(fields)
        self.activities[str(row_id)] = {**fields, "ID": str(row_id)}
        self._bind_anew(str(row_id))
        return row_id

    def _update(self, row_id: str, fields: Mapping[str, Any]) -> bool:
        if row_id not in self.activities:
            raise _wrong("", "Activity is not found")
        row = self.activities[row_id]
        self._check(fields)
        if len({"OWNER_TYPE_ID", "OWNER_ID"} & set(fields)) == 1:
            raise _wrong("", "Could not build binding. Please ensure that owner info is defined correctly")
        row |= fields
        if "OWNER_ID" in fields or "COMMUNICATIONS" in fields:
            self._bind_anew(row_id)
        return True

    def _bind_anew(self, row_id: str) -> None:
        """All bindings are made of the owner and of whom was spoken to: what a person bound besides is lost."""
        row = self.activities[row_id]
        self.bindings = {one for one in self.bindings if one[0] != row_id}
        self.bindings.add((row_id, str(row["OWNER_TYPE_ID"]), str(row["OWNER_ID"])))
        for whom in row["COMMUNICATIONS"]:
            if whom.get("ENTITY_ID"):
                self.bindings.add((row_id, str(whom["ENTITY_TYPE_ID"]), str(whom["ENTITY_ID"])))

    def _delete(self, row_id: str) -> bool:
        if self.activities.pop(row_id, None) is None:
            raise _wrong("", "Activity is not found")
        return True

    def _check(self, fields: Mapping[str, Any]) -> None:
        if unknown := set(fields) - ACTIVITY | set(fields) & READ_ONLY:
            raise _wrong("", f"there is no field {sorted(unknown)} that may be set")
        for name, allowed in ENUMS.items():
            if name in fields and str(fields[name]) not in allowed:
                raise _wrong("", f"The field {name} is not defined or invalid: {fields[name]}")
        for name in ("START_TIME", "END_TIME"):
            if name in fields and not _ISO.fullmatch(str(fields[name])):
                raise _wrong("WRONG_DATETIME_FORMAT", f"{name}: {fields[name]}")
        if "SUBJECT" in fields and not fields["SUBJECT"]:
            raise _wrong("", "The field SUBJECT is not defined or empty")
        if str(fields.get("RESPONSIBLE_ID", "1")) not in self.users:
            raise _wrong("", "The field RESPONSIBLE_ID is not defined or invalid")
        whom = fields.get("COMMUNICATIONS", [{"VALUE": "as it is", "TYPE": "PHONE"}])
        if len(whom) != 1 or not whom[0].get("VALUE") or whom[0].get("TYPE") != "PHONE":
            raise _wrong("", "The only one communication is allowed for activity of specified type")
        owner = KINDS[str(fields["OWNER_TYPE_ID"])] if "OWNER_TYPE_ID" in fields else None
        if owner is not None and str(fields["OWNER_ID"]) not in self.records[owner]:
            raise _wrong("", "Could not build binding. Please ensure that owner info is defined correctly")

    def _bind(self, params: Mapping[str, Any]) -> bool:
        activity, number, entity = (str(params[one]) for one in ("activityId", "entityTypeId", "entityId"))
        if activity not in self.activities:
            raise _wrong("NOT_FOUND", "Not found.")
        if entity not in self.records[KINDS[number]]:
            raise _wrong("OWNER_NOT_FOUND", "Owner was not found.")
        if (activity, number, entity) in self.bindings:
            raise _wrong("ACTIVITY_IS_ALREADY_BOUND", "Activity is already bound to this entity")
        self.bindings.add((activity, number, entity))
        return True

    def _doubles(self, params: Mapping[str, Any]) -> Any:
        values = params.get("values")
        if params.get("type") != "PHONE" or not isinstance(values, list) or not 1 <= len(values) <= 20:
            raise _wrong("Communication values is not defined", "Parameter 'values' is required.")
        wanted = {re.sub(r"\D", "", one)[-8:] for one in values}  # loose, so that whoever asks must compare
        found: dict[str, list[int]] = {}
        for kind in ("lead", "contact", "company"):
            for row_id, row in self.records[kind].items():
                phones = [re.sub(r"\D", "", one["VALUE"])[-8:] for one in row.get("PHONE", [])]
                if wanted & set(phones):
                    found.setdefault(kind.upper(), []).append(int(row_id))
        return found or []


def parse_php(pairs: list[tuple[str, str]]) -> Any:
    """Return a query as PHP reads it: `a[b][0]=c` is a tree; keys that are numbers from 0 on make a list."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        first, *rest = re.findall(r"[^\[\]]+", name)
        at, steps = tree, [first, *rest]
        for step in steps[:-1]:
            at = at.setdefault(step, {})
        at[steps[-1]] = value
    return _listlike(tree)


def _listlike(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    made = {key: _listlike(value) for key, value in tree.items()}
    if made and list(made) == [str(n) for n in range(len(made))]:
        return list(made.values())
    return made


def _put_in(value: str, done: Mapping[str, Any]) -> str:
    def found(match: re.Match[str]) -> str:
        at: Any = done
        for step in re.findall(r"\[([^\]]*)\]", match[1]):
            at = at.get(step, "") if isinstance(at, dict) else ""
        return str(at)

    return _RESULT.sub(found, value)


def _listed(rows: list[dict[str, Any]], params: Mapping[str, Any], fields: set[str]) -> list[dict[str, Any]]:
    found = rows
    for name, wanted in (params.get("filter") or {}).items():
        match = _PREFIX.fullmatch(name)
        if match is None or match[2] not in fields:
            raise _wrong("", f"there is no filter {name}")
        found = [row for row in found if _fits(row.get(match[2]), match[1] or "=", wanted)]
    for name, direction in reversed(list((params.get("order") or {}).items())):
        if name not in fields or direction not in ("ASC", "DESC"):
            raise _wrong("", f"there is no order {name} {direction}")
        found = sorted(found, key=lambda row: _order(row.get(name)), reverse=direction == "DESC")
    start = max(0, int(params.get("start", 0)))
    wanted_fields = params.get("select") or sorted(fields)
    if unknown := set(wanted_fields) - fields:
        raise _wrong("", f"there is no field {sorted(unknown)}")
    return [{one: row.get(one) for one in {"ID", *wanted_fields}} for row in found[start : start + 50]]


def _fits(value: Any, operator: str, wanted: Any) -> bool:
    if operator in ("@", "!@"):
        return (str(value) in [str(one) for one in wanted]) == (operator == "@")
    left, right = _order(value), _order(wanted)
    return {
        "=": left == right,
        ">": left > right,
        ">=": left >= right,
        "<": left < right,
        "<=": left <= right,
    }[operator]


def _order(value: Any) -> tuple[int, float, str]:
    text = str("" if value is None else value)
    if text.isdecimal():
        return (0, float(text), "")
    if _ISO.fullmatch(text):
        return (0, datetime.fromisoformat(text).timestamp(), "")
    return (1, 0.0, text)


def _wrong(code: str, description: str, status: int = 400) -> Refusal:
    return Refusal(status, {"error": code, "error_description": description})
