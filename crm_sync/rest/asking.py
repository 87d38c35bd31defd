"""Asks a CRM as the tables of the generic adapter say: addresses, headers, tokens, and how answers are judged."""

import asyncio
from collections.abc import Mapping as Map
from typing import Any, Final
from urllib.parse import quote

from crm_sync.account import Account
from crm_sync.mapping import NAMES
from crm_sync.port import CrmError
from crm_sync.requests import (
    AnswerRule,
    Reply,
    Requester,
    answer_of,
    at_path,
    is_no_json,
    plain,
    retry_after,
)
from crm_sync.rest.tables import RestTable, TokenTable
from crm_sync.template import Template, render, template_of
from cti.clock import Clock
from cti.errors import BadInput, SettingsError
from cti.model.crm import Answer

VALUES: Final = NAMES | {"id", "call_uuid"}
"""What texts of requests may name: facts of the call, the record's id there, and the call's id as a UUID."""
HEADER_VALUES: Final = frozenset({"secret", "token"})
"""What texts of headers and of the token's form may name."""
LEAST_TOKEN_SECONDS: Final = 600.0
"""How long a token is used whose CRM does not say how long it lasts."""


class RestAsker:
    """Sends what texts say. Texts are read once; `template` reads one beforehand, so that a wrong one is told early."""

    def __init__(
        self,
        account: Account,
        table: RestTable,
        rules: tuple[AnswerRule, ...],
        requester: Requester,
        clock: Clock,
    ) -> None:
        self._account = account
        self._table = table
        self._rules = rules
        self._requester = requester
        self._clock = clock
        self._texts: dict[tuple[str, bool], Template] = {}
        self._token = ""
        self._token_until = 0.0
        self._lock = asyncio.Lock()

    async def ask(
        self,
        method: str,
        path: str,
        query: Map[str, str],
        values: Map[str, Any],
        *,
        body: Map[str, Any] | None = None,
    ) -> Reply:
        """Send a request, with a new token when the one in hand is refused. Raises CrmError, BadInput."""
        keys = await self._keys()
        reply = await self._ask_once(keys, method, path, query, values, body or {})
        if reply.status == 401 and self._table.token is not None:
            if self._token == keys["token"]:  # it ran out before its time; else another has had a new one
                self._token = ""
            reply = await self._ask_once(await self._keys(), method, path, query, values, body or {})
        return reply

    async def _ask_once(
        self,
        keys: Map[str, str],
        method: str,
        path: str,
        query: Map[str, str],
        values: Map[str, Any],
        body: Map[str, Any],
    ) -> Reply:
        headers = {name: self.text(text, keys, header=True) for name, text in self._table.headers.items()}
        asked = {name: self.text(text, values) for name, text in query.items()}
        return await self._requester.send(
            method,
            self.url(path, values),
            headers={"Accept": "application/json", **headers},
            params=asked,
            **body,
        )

    async def _keys(self) -> dict[str, str]:
        keys = {"secret": self._account.secret.get_secret_value(), "token": ""}
        table = self._table.token
        if table is None:
            return keys
        async with self._lock:
            if not self._token or self._clock.monotonic() >= self._token_until:
                await self._new_token(table, keys)
            return keys | {"token": self._token}

    async def _new_token(self, table: TokenTable, keys: Map[str, str]) -> None:
        form = {name: self.text(text, keys, header=True) for name, text in table.form.items()}
        try:
            reply = await self._requester.send(
                "POST", self.url(table.path, {}), headers={"Accept": "application/json"}, data=form
            )
        except CrmError as error:  # nothing of the call was sent yet
            raise CrmError(Answer.AWAY, f"no token is to be had: {error}") from None
        token = at_path(reply.json, table.token)
        if reply.status in (400, 401, 403) or (reply.status < 300 and not isinstance(token, str)):
            raise CrmError(Answer.AUTH, f"no token is given: {reply.status} {self.plain(reply.body)}")
        if reply.status >= 300:
            raise CrmError(Answer.AWAY, f"no token is to be had: {reply.status} {self.plain(reply.body)}")
        seconds = at_path(reply.json, table.seconds)
        lasts = float(seconds) if isinstance(seconds, int | float) else LEAST_TOKEN_SECONDS
        self._token, self._token_until = str(token), self._clock.monotonic() + max(1.0, lasts - 60.0)

    def url(self, path: str, values: Map[str, Any]) -> str:
        """Return an address below the CRM's own; values in it are made fit for a URL."""
        return self._account.url.rstrip("/") + "/" + self.text(path, values, url=True).lstrip("/")

    def text(self, text: str, values: Map[str, Any], *, header: bool = False, url: bool = False) -> str:
        """Return a text with its values. Raises BadInput for what may not stand in a header or URL."""
        shown = render(self.template(text, header=header), _quoted(values) if url else values)
        if any(ord(one) < 32 and one not in "\t" for one in shown) and (header or url):
            raise BadInput(
                f"{self._account.where}: a value would put a control character into a header or URL"
            )
        if url and any(part in (".", "..") for part in shown.partition("?")[0].split("/")):
            # quoting leaves dots as they are, and the library would go up a folder
            raise BadInput(
                f"{self._account.where}: rest: {text!r}: a value of dots alone cannot stand in a path"
            )
        return shown

    def template(self, text: str, *, header: bool = False) -> Template:
        """Return a text, read. Raises SettingsError."""
        key = (text, header)
        if key not in self._texts:
            names = HEADER_VALUES if header else VALUES
            try:
                self._texts[key] = template_of(text, names=names, where=f"{self._account.where}: rest")
            except BadInput as error:
                raise SettingsError(str(error)) from None
        return self._texts[key]

    def answer(self, reply: Reply, *, makes: bool = False) -> Answer:
        """Return what the CRM meant. `makes`: the request makes a record each time it is sent."""
        return answer_of(reply, self._rules, makes=makes)

    def must_be_ok(self, reply: Reply, *, makes: bool = False) -> None:
        """Raise CrmError unless it went well. A text that is no JSON is no success that a rule does not know."""
        answer = self.answer(reply, makes=makes)
        if answer is Answer.OK:
            if is_no_json(reply) and not any(rule.fits(reply) for rule in self._rules):
                raise CrmError(
                    Answer.UNKNOWN, f"{reply.status}, and the answer is no JSON: {self.plain(reply.body)}"
                )
            return
        pause = retry_after(reply.headers, now=self._clock.now())
        where = reply.headers.get("Location", "") if 300 <= reply.status < 400 else ""
        said = f"sends on to {where}" if where else reply.body
        if answer is Answer.AWAY and pause is not None:
            answer = Answer.THROTTLE  # it says itself when it is back
        raise CrmError(answer, f"{reply.status} {self.plain(said)}", pause_seconds=pause)

    def plain(self, text: str) -> str:
        """Return a piece of an answer fit for people, without our keys."""
        return plain(text, secrets=(self._account.secret.get_secret_value(), self._token))


def _quoted(values: Map[str, Any]) -> dict[str, Any]:
    """Return values made fit for a URL's path."""
    return {name: quote(one, safe="") if isinstance(one, str) else one for name, one in values.items()}
