"""How a method of a model is called: JSON-2 (Odoo 19 on) or JSON-RPC (14 to 18). The same small interface for both."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from crm_sync.account import Account
from crm_sync.odoo.answers import (
    OdooError,
    answer_of_exception,
    answer_without_exception,
    exception_of,
    rpc_exception_of,
)
from crm_sync.port import CrmError
from crm_sync.requests import Reply, Requester, plain, retry_after
from cti.clock import Clock
from cti.model.crm import Answer

CONTEXT: Final[Mapping[str, Any]] = {"lang": "en_US", "tz": "UTC"}
"""Times go over the wire in UTC: `load` would read them in the bot's own time zone."""


class Transport(Protocol):
    """Calls methods of models. Raises CrmError; OdooError when Odoo itself refused."""

    async def call(
        self,
        model: str,
        method: str,
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Call it; `ids` for a method of records, arguments by their names. `context` is added to UTC and English."""
        ...

    async def uid(self) -> int:
        """Return the id of the user that we are."""
        ...

    async def version(self) -> str:
        """Return the server's version, "" when it does not say."""
        ...


class Json2:
    """`POST /json/2/MODEL/METHOD`, the key as bearer."""

    def __init__(self, account: Account, database: str, requester: Requester, clock: Clock) -> None:
        self._base = account.url.rstrip("/")
        self._secret = account.secret
        self._database = database
        self._requester = requester
        self._clock = clock
        self._uid: int | None = None

    async def call(
        self,
        model: str,
        method: str,
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        body: dict[str, Any] = {**arguments, "context": {**CONTEXT, **(context or {})}}
        if ids is not None:
            body["ids"] = list(ids)
        headers = {
            "Authorization": f"bearer {self._secret.get_secret_value()}",
            "X-Odoo-Database": self._database,
        }
        reply = await self._requester.send(
            "POST", f"{self._base}/json/2/{model}/{method}", headers=headers, json=body
        )
        if reply.status != 200:
            raise _refusal(
                reply, *exception_of(reply.json), secret=self._secret.get_secret_value(), clock=self._clock
            )
        return _result(reply)

    async def uid(self) -> int:
        if self._uid is None:
            said = await self.call("res.users", "context_get")
            if not isinstance(said, dict) or not isinstance(said.get("uid"), int):
                raise CrmError(Answer.AUTH, f"no user in the answer: {plain(str(said))}")
            self._uid = said["uid"]
        return self._uid

    async def version(self) -> str:
        reply = await self._requester.send("GET", f"{self._base}/web/version", headers={})
        return str(reply.json.get("version", "")) if isinstance(reply.json, dict) else ""


class Rpc:
    """`POST /jsonrpc`, the key as the password of the login."""

    def __init__(
        self, account: Account, database: str, login: str, requester: Requester, clock: Clock
    ) -> None:
        self._url = f"{account.url.rstrip('/')}/jsonrpc"
        self._secret = account.secret
        self._database = database
        self._login = login
        self._requester = requester
        self._clock = clock
        self._uid: int | None = None
        self._numbers = itertools.count(1)
        self._signing_in = asyncio.Lock()

    async def call(
        self,
        model: str,
        method: str,
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        uid = await self.uid()
        named = {**arguments, "context": {**CONTEXT, **(context or {})}}
        placed = [list(ids)] if ids is not None else []
        return await self._ask(
            "object",
            "execute_kw",
            [self._database, uid, self._secret.get_secret_value(), model, method, placed, named],
        )

    async def uid(self) -> int:
        async with self._signing_in:
            if self._uid is None:
                self._uid = await self._signed_in()
        return self._uid

    async def version(self) -> str:
        said = await self._ask("common", "version", [])
        return str(said.get("server_version", "")) if isinstance(said, dict) else ""

    async def _signed_in(self) -> int:
        words = [self._database, self._login, self._secret.get_secret_value(), {}]
        try:
            said = await self._ask("common", "authenticate", words)
        except CrmError as error:
            if error.answer is Answer.UNKNOWN:  # nothing of any call was sent yet
                raise CrmError(Answer.AWAY, f"while signing in: {error}") from None
            raise
        if not isinstance(said, int) or isinstance(said, bool):
            raise CrmError(Answer.AUTH, f"the key is refused for the login {self._login}")
        return said

    async def _ask(self, service: str, method: str, words: Sequence[Any]) -> Any:
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "id": next(self._numbers),
            "params": {"service": service, "method": method, "args": words},
        }
        reply = await self._requester.send("POST", self._url, headers={}, json=body)
        name, message = rpc_exception_of(reply.json)
        if name or reply.status != 200:
            raise _refusal(reply, name, message, secret=self._secret.get_secret_value(), clock=self._clock)
        answer = _result(reply)
        if not isinstance(answer, dict):
            raise _no_json(reply)
        return answer.get("result")


class Counted:
    """A transport that counts the requests of one piece of work."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.requests = 0

    async def call(self, model: str, method: str, **arguments: Any) -> Any:
        self.requests += 1
        return await self._transport.call(model, method, **arguments)

    async def uid(self) -> int:
        return await self._transport.uid()

    async def version(self) -> str:
        self.requests += 1
        return await self._transport.version()


def _refusal(reply: Reply, name: str, message: str, *, secret: str, clock: Clock) -> OdooError:
    answer = answer_of_exception(name, message) if name else answer_without_exception(reply)
    said = f"{name}: {message}" if name else f"{reply.status} {reply.body}"
    if not name and reply.status == 404:
        said = f"it has no such database, or its database is away, or it is no Odoo with this way in: {said}"
    pause = retry_after(reply.headers, now=clock.now())
    if answer is Answer.AWAY and pause is not None:
        answer = Answer.THROTTLE  # it says itself when it is back
    return OdooError(answer, plain(said, secrets=[secret]), name=name, pause_seconds=pause)


def _result(reply: Reply) -> Any:
    if reply.json is None and reply.body.strip() != "null":
        raise _no_json(reply)
    return reply.json


def _no_json(reply: Reply) -> CrmError:
    return CrmError(Answer.AWAY, f"the answer is none of Odoo's: {plain(reply.body)}")
