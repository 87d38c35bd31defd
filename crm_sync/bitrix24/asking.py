"""Asks Bitrix24 by an inbound webhook, and judges how it answered: errors stand in the body, and a batch has its own.

Several commands go in one request, as texts in the form of a query. Bitrix24 puts results of earlier commands in where
a value says `$result[...]`; what people wrote must not be able to say that.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from crm_sync.account import Account
from crm_sync.port import CrmError
from crm_sync.requests import Reply, Requester, at_path, judged, may_have_made, plain, retry_after
from cti.clock import Clock
from cti.model.crm import Answer

ERRORS: Final[Mapping[str, Answer]] = {
    "QUERY_LIMIT_EXCEEDED": Answer.THROTTLE,
    "OPERATION_TIME_LIMIT": Answer.THROTTLE,
    "OVERLOAD_LIMIT": Answer.AWAY,
    "PORTAL_DELETED": Answer.AWAY,
    "NO_AUTH_FOUND": Answer.AUTH,
    "INVALID_CREDENTIALS": Answer.AUTH,
    "INVALID_REQUEST": Answer.AUTH,  # Https required: the settings are wrong, not the call
    "expired_token": Answer.AUTH,
    "invalid_token": Answer.AUTH,
    "insufficient_scope": Answer.AUTH,
    "user_access_error": Answer.AUTH,
    "INTERNAL_SERVER_ERROR": Answer.UNKNOWN,
    "ERROR_UNEXPECTED_ANSWER": Answer.UNKNOWN,
}
BATCH: Final = "batch"
PAGE: Final = 50
"""Fixed there."""
BUCKET_SECONDS: Final = 5.0
"""Ten requests leak out of the bucket in it."""
BLOCKED_SECONDS: Final = 60.0
"""A method that ran too long is free again when the oldest of its ten minutes is over; where no answer told when."""
LONGEST_BLOCK_SECONDS: Final = 600.0
_RESULT: Final = re.compile(r"\$(?=result\s*\[)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Command:
    """One method with its parameters."""

    method: str
    params: Mapping[str, Any]


class Ref(str):
    """A text that is a reference to an earlier command's result, and ours."""


class Bitrix24Asker:
    """Sends requests of one account and counts them."""

    def __init__(self, account: Account, requester: Requester, clock: Clock) -> None:
        """The account's secret is the webhook's code, its URL ends in the user's number: `https://.../rest/1`."""
        self._account = account
        self._requester = requester
        self._clock = clock
        self._resets_at: dict[str, float] = {}
        self.asked = 0

    def anew(self) -> "Bitrix24Asker":
        """Return one that counts from nothing and knows what this one learns."""
        other = Bitrix24Asker(self._account, self._requester, self._clock)
        other._resets_at = self._resets_at
        return other

    async def ask(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """Call a method; return its result. Raises CrmError."""
        reply = await self._sent(method, dict(params or {}))
        self._learn(method, at_path(reply.json, "time"))
        if not isinstance(reply.json, dict) or "result" not in reply.json:
            raise CrmError(Answer.UNKNOWN, f"the answer holds no result: {self.plain(reply.body)}")
        return reply.json["result"]

    async def batch(self, commands: Mapping[str, Command]) -> dict[str, Any]:
        """Call several methods in one request; return by key the result, or the CrmError. Raises CrmError for all."""
        texts = {key: f"{one.method}?{query(one.params)}" for key, one in commands.items()}
        result = await self.ask(BATCH, {"halt": 0, "cmd": texts})
        done, wrong = _table(result, "result"), _table(result, "result_error")
        for key, time in _table(result, "result_time").items():
            if key in commands:
                self._learn(commands[key].method, time)
        found: dict[str, Any] = {}
        for key, one in commands.items():
            if key in wrong:
                found[key] = self.error(one.method, 400, wrong[key])
            elif key in done:
                found[key] = done[key]
            else:
                found[key] = CrmError(Answer.UNKNOWN, f"the answer says nothing of {one.method}")
        return found

    async def pages(self, method: str, params: Mapping[str, Any]) -> AsyncIterator[list[Any]]:
        """Give all that a list method has, fifty at a time, each page behind the last id of the one before."""
        behind = 0
        while True:
            given = {**params, "order": {"ID": "ASC"}, "start": -1}
            given["filter"] = {**params.get("filter", {}), ">ID": str(behind)}
            rows = await self.ask(method, given)
            if not isinstance(rows, list):
                raise CrmError(Answer.UNKNOWN, f"the answer to {method} holds no list")
            yield rows
            last = str(at_path(rows[-1], "ID")) if rows else ""
            if len(rows) < PAGE:
                return
            if not last.isdecimal() or int(last) <= behind:
                raise CrmError(
                    Answer.RETRY, f"{method} gave a page that is not behind {behind}: some would be left out"
                )
            behind = int(last)

    async def every(self, method: str, params: Mapping[str, Any]) -> list[Any]:
        """Return all that a list method has."""
        return [row async for rows in self.pages(method, params) for row in rows]

    async def _sent(self, method: str, params: dict[str, Any]) -> Reply:
        self.asked += 1
        code = self._account.secret.get_secret_value()
        url = f"{self._account.url.rstrip('/')}/{quote(code, safe='')}/{method}.json"
        try:
            reply = await self._requester.send(
                "POST", url, headers={"Accept": "application/json"}, json=params
            )
        except CrmError as error:  # the address holds the key
            raise CrmError(error.answer, self.plain(str(error))) from None
        if reply.status >= 300 or at_path(reply.json, "error") is not None:
            raise self.error(method, reply.status, reply.json, reply)
        return reply

    def error(self, method: str, status: int, said: Any, reply: Reply | None = None) -> CrmError:
        """Return what an error of theirs means, be it of a request or of a command in a batch."""
        code = str(at_path(said, "error") or "")
        answer = ERRORS.get(code)
        if answer is None:
            answer = Answer.AUTH if status == 403 else judged(status)
            if method == BATCH and reply is not None and may_have_made(reply):
                answer = Answer.UNKNOWN  # calls are added in it
            if answer is Answer.OK:  # an error with 200
                answer = Answer.PERMANENT
        pause = retry_after(reply.headers, now=self._clock.now()) if reply is not None else None
        if pause is None and answer is Answer.THROTTLE:
            pause = self._blocked(method) if code == "OPERATION_TIME_LIMIT" else BUCKET_SECONDS
        told = at_path(said, "error_description")
        text = f"{code}: {told}".strip(": ") if code or told else (reply.body if reply else "no reason")
        return CrmError(answer, f"{status} {self.plain(text)}", pause_seconds=pause)

    def _learn(self, method: str, time: Any) -> None:
        resets_at = at_path(time, "operating_reset_at")
        if isinstance(resets_at, int | float) and not isinstance(resets_at, bool):
            self._resets_at[method] = float(resets_at)

    def _blocked(self, method: str) -> float:
        resets_at = self._resets_at.get(method)
        if resets_at is None:
            return BLOCKED_SECONDS
        return min(max(1.0, resets_at - self._clock.now().timestamp()), LONGEST_BLOCK_SECONDS)

    def plain(self, text: str) -> str:
        """Return a piece of an answer fit for people, without our key."""
        return plain(text, secrets=(self._account.secret.get_secret_value(),))


def by_origin(originator: str, ids: Sequence[str]) -> dict[str, Any]:
    """Return what a list of activities is asked for, to find those with these origins."""
    return {
        "filter": {"=ORIGINATOR_ID": originator, "@ORIGIN_ID": list(ids)},
        "select": [
            "ID",
            "ORIGIN_ID",
            "OWNER_ID",
            "OWNER_TYPE_ID",
            "START_TIME",
            "END_TIME",
            "SUBJECT",
            "DESCRIPTION",
        ],
    }


def query(params: Mapping[str, Any]) -> str:
    """Return parameters as a query in the form that PHP reads: `fields[A][0][B]=c`."""
    return "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in _flat("", params))


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for key, one in value.items():
                yield from _flat(f"{name}[{key}]" if name else str(key), one)
        case str():
            yield name, value if isinstance(value, Ref) else _RESULT.sub("＄", value)
        case None:
            yield name, ""
        case Sequence():
            for n, one in enumerate(value):
                yield from _flat(f"{name}[{n}]", one)
        case _:
            yield name, str(value)


def _table(result: Any, name: str) -> dict[str, Any]:
    """Return a part of a batch's answer: an object, or an empty list where nothing is in it."""
    found = at_path(result, name)
    return found if isinstance(found, dict) else {}
