"""A strict fake of 纷享销客's OpenAPI, made from what is published of it; nothing was tried against the real one.

| rule | from (wiki: open.fxiaoke.com; pages: developer.fxiaoke.com/openapi_v2) |
| --- | --- |
| token: three secrets, 7,200 s; three keys in each body | wiki 17, 1146 |
| every answer has the status 200; errorCode, errorMessage, traceId | pages start/guide/codes |
| paths of objects of one's own (`__c`) and of the others; bodies | pages CustomObj, AccountObj |
| no id in the answer to creating a `__c` object; the owner cannot be updated | as above |
| search_query_info: 100, offset up to 10,000, operators | pages 字段值说明, 深翻页文档 |
| values by type: times as numbers, numbers as text, options by value, people as lists | pages 字段值说明 |
| codes 20016, 20017, 10006, 30004, 30002, 30003 | pages codes, rate |

Assumed: names of fields of LeadsObj, ContactObj and AccountObj; the code 15002 for fields and values that do not fit; a
record that was made invalid (作废) is in no query and refuses to be updated.
"""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.contract.crm.strict_http import Refusal, StrictServer, Window

APP, APP_SECRET, PERMANENT, USER = "FSAID_1", "app-secret-1", "PERMANENT1", "FSUID_BOSS"
ANNA, ANNAS_MOBILE = "FSUID_ANNA", "13900139000"
CALLS = "call_record__c"


def _field(kind: str, *, required: bool = False, options: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": kind,
        "is_required": required,
        **({"options": [{"label": one, "value": one} for one in options]} if options else {}),
    }


SYSTEM = {
    "owner": _field("employee"),
    "create_time": _field("date_time"),
    "last_modified_time": _field("date_time"),
    "life_status": _field("select_one"),
}
OUTCOMES = ("已接通", "已接通未转接", "接通后挂断", "语音信箱", "无人接听", "占线", "呼叫失败", "未知")
FIELDS: Mapping[str, Mapping[str, Any]] = {
    CALLS: {
        **SYSTEM,
        "name": _field("text", required=True),
        "call_id__c": _field("text"),
        "start_time__c": _field("date_time", required=True),
        "end_time__c": _field("date_time"),
        "talk_seconds__c": _field("number"),
        "phone__c": _field("phone_number"),
        "outcome__c": _field("select_one", options=OUTCOMES),
        "disposition__c": _field("text"),
        "agent__c": _field("text"),
        "recording__c": _field("url"),
        "note__c": _field("long_text"),
        "leads__c": {**_field("object_reference"), "target_api_name": "LeadsObj"},
        "contact__c": {**_field("object_reference"), "target_api_name": "ContactObj"},
        "account__c": {**_field("object_reference"), "target_api_name": "AccountObj"},
        "opportunity__c": {**_field("object_reference"), "target_api_name": "NewOpportunityObj"},
    },
    "LeadsObj": {
        **SYSTEM,
        "name": _field("text", required=True),
        "mobile": _field("phone_number"),
        "tel": _field("phone_number"),
        "biz_status": _field("select_one"),
    },
    "ContactObj": {
        **SYSTEM,
        "name": _field("text", required=True),
        "mobile1": _field("phone_number"),
        "tel1": _field("phone_number"),
        "account_id": _field("object_reference"),
    },
    "AccountObj": {**SYSTEM, "name": _field("text", required=True), "tel": _field("phone_number")},
    "NewOpportunityObj": {**SYSTEM, "name": _field("text", required=True)},
}
OPERATORS = {"EQ", "N", "GT", "GTE", "LT", "LTE", "LIKE", "IN", "NIN", "IS", "ISN"}


class FxiaokeServer(StrictServer):
    """The account."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in FIELDS}
        self.fields = {name: dict(fields) for name, fields in FIELDS.items()}
        self.tokens = itertools.count(1)
        self.token = ""
        self.tokens_given = 0
        self.refuse_token = False
        self.gives_id = False
        self.window = Window(100, 20.0)
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self._ids = itertools.count(1)

    def add(self, api_name: str, *, changed: datetime | None = None, **fields: Any) -> str:
        """Put a record there as a person would; return its id."""
        row_id = f"{next(self._ids):024x}"
        at = round((changed or self.now).timestamp() * 1000)
        self.rows[api_name][row_id] = {
            "owner": [USER],
            "life_status": "normal",
            "is_deleted": False,
            **fields,
            "_id": row_id,
            "last_modified_time": at,
        }
        return row_id

    def malformed(self, why: str) -> Refusal:
        return _wrong(15002, why)

    def do(self, request: web.Request, body: Any) -> web.Response:
        if self.window.full():
            raise _wrong(30004, "秒频次超限")
        if request.method != "POST" or not isinstance(body, dict):
            raise _wrong(12004, "POST的数据包为空")
        if request.path == "/cgi/corpAccessToken/get/V2":
            return self._new_token(body)
        self._let_in(body)
        match request.path.strip("/").split("/"):
            case ["cgi", "user", "getByMobile"]:
                found = [{"openUserId": ANNA}] if body.get("mobile") == ANNAS_MOBILE else []
                if not found:
                    raise _wrong(30027, "员工不存在")
                return _ok(empList=found)
            case ["cgi", "crm", "v2", "object", "describe"]:
                return self._describe(body)
            case ["cgi", "crm", "v2", "data", action]:
                return self._data(action, body, own=False)
            case ["cgi", "crm", "custom", "v2", "data", action]:
                return self._data(action, body, own=True)
        raise _wrong(32000, f"没有这个接口 {request.path}")

    def _new_token(self, body: Mapping[str, Any]) -> web.Response:
        given = (body.get("appId"), body.get("appSecret"), body.get("permanentCode"))
        if given != (APP, APP_SECRET, PERMANENT):
            raise _wrong(10006, f"the parameter appSecret is missing or illegal: {given[1]}")
        self.token = f"token-{next(self.tokens)}"
        self.tokens_given += 1
        return _ok(corpAccessToken=self.token, corpId="FSCID_1", expiresIn=7200)

    def _let_in(self, body: Mapping[str, Any]) -> None:
        if not body.get("corpAccessToken"):
            raise _wrong(20017, "corpAccessToken为必填项，不能为空")
        if self.refuse_token or body["corpAccessToken"] != self.token or body.get("corpId") != "FSCID_1":
            raise _wrong(20016, "the cropId,cropAccessToken or authorization is error")
        if body.get("currentOpenUserId") != USER:
            raise _wrong(20012, "openUserId未找到")

    def _describe(self, body: Mapping[str, Any]) -> web.Response:
        api_name = body["data"]["apiName"]
        if api_name not in self.fields:
            raise _wrong(15002, "对象不存在")
        return _ok(data={"describe": {"api_name": api_name, "fields": self.fields[api_name]}})

    def _data(self, action: str, body: Mapping[str, Any], *, own: bool) -> web.Response:
        data = body["data"]
        given = data.get("object_data", data) if action in ("create", "update") else data
        api_name = given.get("dataObjectApiName")
        if api_name not in self.rows or api_name.endswith("__c") != own:
            raise _wrong(15002, f"对象不存在 {api_name}")
        match action:
            case "create":
                return self._create(api_name, given)
            case "update":
                return self._update(api_name, given)
            case "query":
                return self._query(api_name, data["search_query_info"])
            case "invalid":
                self._there(api_name, data["object_data_id"])["life_status"] = "invalid"
                return _ok()
        raise _wrong(32000, f"没有这个接口 {action}")

    def _create(self, api_name: str, given: Mapping[str, Any]) -> web.Response:
        fields = {name: value for name, value in given.items() if name != "dataObjectApiName"}
        self._check(api_name, fields)
        for name, field in self.fields[api_name].items():
            if field["is_required"] and fields.get(name) in (None, ""):
                raise _wrong(15002, f"{name} 为必填项")
        row_id = self.add(api_name, **fields)
        return _ok(dataId=row_id) if self.gives_id or not api_name.endswith("__c") else _ok()

    def _update(self, api_name: str, given: Mapping[str, Any]) -> web.Response:
        row = self._there(api_name, given.get("_id"))
        fields = {name: value for name, value in given.items() if name not in ("dataObjectApiName", "_id")}
        if "owner" in fields:
            raise _wrong(15002, "负责人不能修改")
        self._check(api_name, fields)
        row |= fields
        return _ok()

    def _there(self, api_name: str, row_id: Any) -> dict[str, Any]:
        row = self.rows[api_name].get(str(row_id))
        if row is None or row["life_status"] == "invalid":
            raise _wrong(15002, "数据不存在或已作废")
        return row

    def _check(self, api_name: str, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            field = self.fields[api_name].get(name)
            if field is None:
                raise _wrong(15002, f"字段不存在 {name}")
            if value is not None and not self._fits(field, value):
                raise _wrong(15002, f"字段 {name} 的值不合法 {value!r}")

    def _fits(self, field: Mapping[str, Any], value: Any) -> bool:
        match field["type"]:
            case "date_time":
                return isinstance(value, int) and not isinstance(value, bool) and value > 10**11
            case "employee":
                return isinstance(value, list) and all(one in (USER, ANNA) for one in value)
            case "select_one":
                options = [one["value"] for one in field.get("options", [])]
                return isinstance(value, str) and (not options or value in options)
            case "object_reference":
                return value in self.rows[field["target_api_name"]]
            case "number":
                return isinstance(value, str) and value.replace(".", "", 1).removeprefix("-").isdecimal()
            case "text":
                return isinstance(value, str) and len(value) <= 100
        return isinstance(value, str) and len(value) <= 10_000

    def _query(self, api_name: str, asked: Mapping[str, Any]) -> web.Response:
        limit, offset = asked["limit"], asked["offset"]
        if not 1 <= limit <= 100 or offset % limit or not isinstance(asked["filters"], list):
            raise _wrong(15002, "limit, offset, filters")
        if offset > 10_000:
            raise _wrong(10013, "offset out of range 10000")
        rows = [row for row in self.rows[api_name].values() if row["life_status"] != "invalid"]
        known = {*self.fields[api_name], "_id"}
        for one in asked["filters"]:
            if set(one) != {"field_name", "operator", "field_values"} or one["operator"] not in OPERATORS:
                raise _wrong(15002, f"查询条件不合法 {one}")
            if one["field_name"] not in known or not isinstance(one["field_values"], list):
                raise _wrong(15002, f"查询字段不存在 {one}")
            rows = [row for row in rows if _holds(row.get(one["field_name"]), one)]
        for order in reversed(asked["orders"]):
            rows.sort(key=lambda row: _order(row.get(order["fieldName"])), reverse=order["isAsc"] is not True)
        found = [{name: value for name, value in row.items() if value is not None} for row in rows]
        return _ok(
            data={"dataList": found[offset : offset + limit], "offset": offset, "limit": limit, "total": 0}
        )


def _holds(value: Any, one: Mapping[str, Any]) -> bool:
    wanted = one["field_values"]
    if any(not isinstance(each, str) for each in wanted):
        raise _wrong(15002, f"field_values {wanted}")
    match one["operator"]:
        case "IN":
            return str(value) in wanted
        case "NIN":
            return str(value) not in wanted
        case "IS":
            return value in (None, "")
        case "ISN":
            return value not in (None, "")
    if value is None:
        return one["operator"] == "N"
    left, right = _order(value), _order(wanted[0])
    return {
        "EQ": left == right,
        "N": left != right,
        "GT": left > right,
        "GTE": left >= right,
        "LT": left < right,
        "LTE": left <= right,
        "LIKE": wanted[0] in str(value),
    }[one["operator"]]


def _order(value: Any) -> tuple[int, int, str]:
    text = str(value)
    is_number = isinstance(value, int) or (text.isdecimal() and len(text) < 20)
    return (0, int(text), "") if is_number else (1, 0, text)


def _ok(**more: Any) -> web.Response:
    return web.json_response(
        {"errorCode": 0, "errorMessage": "OK", "errorDescription": "success", "traceId": "E-O.1", **more}
    )


def _wrong(code: int, message: str) -> Refusal:
    return Refusal(200, {"errorCode": code, "errorMessage": message, "traceId": "E-O.1-1"})
