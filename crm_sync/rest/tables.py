"""The tables of the generic REST adapter, as they stand in a target's mapping file. Read and checked; no requests."""

import re
from collections.abc import Mapping as Map
from datetime import time
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from crm_sync.mapping import told
from crm_sync.port import Idempotency
from crm_sync.requests import AnswerRule
from crm_sync.rest.read_tables import (
    AskTable,
    CallsTable,
    FollowUpsTable,
    KindTable,
    NumberTable,
    SourceTable,
)
from cti.errors import SettingsError
from cti.model.crm import Answer


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RequestTable(_Table):
    """One request."""

    method: Literal["GET", "POST", "PUT", "PATCH"] = "POST"
    path: str
    """Below `url`; values in it are made fit for a URL."""
    query: dict[str, str] = {}
    body: Literal["json", "form"] = "json"
    wrap: str = ""
    """Dotted path below which the fields stand in the body."""
    extra: dict[str, str] = {}
    """More of the body, by dotted path."""
    homes: dict[str, dict[str, str]] = {}
    """And what comes to that by the kind of the call's record; other kinds are refused. Empty: any kind."""
    id: str = "id"
    """Dotted path of the record's id in the answer."""
    partial: bool | None = None
    """Of an update: fields that it does not name stay as they are there. None: by PATCH they do."""

    @property
    def may_leave_out(self) -> bool:
        return self.method == "PATCH" if self.partial is None else self.partial


class FindTable(_Table):
    """How a call that was written is found by its mark."""

    method: Literal["GET", "POST"] = "GET"
    path: str
    query: dict[str, str] = {}
    extra: dict[str, str] = {}
    homes: dict[str, dict[str, str]] = {}
    """What comes to the query by the kind of the call's record."""
    list: str = ""
    """Dotted path of the list of records in the answer."""
    id: str = "id"
    """Dotted path of the id within a record."""
    mark: str
    """Dotted path within a record of what must hold the mark: searches are often loose."""
    holds: str = "{call_id}"
    """What it must hold."""


class CheckTable(_Table):
    """A request that changes nothing, to see whether the key is good."""

    path: str
    who: str = ""
    """Dotted path of whom it takes us for."""


class TokenTable(_Table):
    """Where a token is had for the key (OAuth 2, client credentials: RFC 6749, 4.4)."""

    path: str
    form: dict[str, str]
    token: str = "access_token"  # noqa: S105 (where it stands in the answer)
    seconds: str = "expires_in"


class AnswerTable(_Table):
    """What an answer means where its status does not say it."""

    status: tuple[int, ...] = ()
    body: str = ""
    """Regular expression."""
    means: Answer | Literal["exists"]
    """`exists`: it is there already under the id that we chose; as good as written."""


class RestTable(_Table):
    """`[rest]`."""

    idempotency: Idempotency
    headers: dict[str, str] = {}
    create: RequestTable
    update: RequestTable
    find: FindTable | None = None
    check: CheckTable
    token: TokenTable | None = None
    own_id: str = ""
    """The id that we choose, for `own_id`."""
    answers: tuple[AnswerTable, ...] = ()
    kind: str = "call"
    """What the record is called there."""
    record_url: str = ""
    in_flight: int = Field(4, ge=1, le=64)
    per_second: float | None = Field(None, gt=0)
    burst: int = Field(1, ge=1)
    per_day: int | None = Field(None, ge=1)
    timeout_seconds: float = Field(30.0, gt=0, le=600)
    unsure_seconds: float = Field(30.0, ge=0)
    times: Literal["iso", "unix", "unix_ms"] = "iso"
    """How times stand in answers."""
    zone: str = "UTC"
    """Time zone of times that name none, and of days."""
    day_begins: time = time(9)
    """When a follow-up is due that has only a day."""
    kinds: dict[str, KindTable] = {}
    sources: dict[str, SourceTable] = {}
    numbers: tuple[NumberTable, ...] = ()
    calls: CallsTable | None = None
    remove: AskTable | None = None
    """Takes the record of a call, `{id}`, away."""
    follow_ups: FollowUpsTable | None = None

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{zone!r} is no time zone") from None
        return zone


def rest_table(tree: Map[str, Any], *, where: str) -> RestTable:
    """Read the table. Raises SettingsError."""
    try:
        return RestTable.model_validate(tree)
    except ValidationError as error:
        raise SettingsError("\n".join(told(one, f"{where}: rest") for one in error.errors())) from None


def rules_of(table: RestTable, where: str) -> tuple[tuple[AnswerRule, ...], tuple[AnswerRule, ...]]:
    """Return the rules, and apart those that mean that it exists already."""
    rules, exists = [], []
    for one in table.answers:
        try:
            body = re.compile(one.body) if one.body else None
        except re.error as error:
            raise SettingsError(
                f"{where}: rest.answers: {one.body!r} is no regular expression: {error}"
            ) from None
        if one.means == "exists":
            exists.append(AnswerRule(means=Answer.OK, status=frozenset(one.status), body=body))
        else:
            rules.append(AnswerRule(means=Answer(one.means), status=frozenset(one.status), body=body))
    return tuple(rules), tuple(exists)


def texts_of(table: RestTable) -> list[str]:
    """Return all texts of requests but the headers."""
    texts = [table.check.path, table.own_id, table.record_url]
    for request in (table.create, table.update):
        texts += [request.path, *request.query.values(), *request.extra.values()]
        texts += [text for extra in request.homes.values() for text in extra.values()]
    if table.find is not None:
        texts += [table.find.path, table.find.holds, *table.find.query.values(), *table.find.extra.values()]
        texts += [text for query in table.find.homes.values() for text in query.values()]
    return texts
