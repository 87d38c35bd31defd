"""Asks a CRM as the tables of the generic adapter say: addresses, headers, tokens, and how answers are judged."""

import asyncio
from collections.abc import Awaitable, Sequence
from collections.abc import Mapping as Map
from typing import Any, Final, TypeVar
from urllib.parse import urljoin, urlsplit

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
    listed,
    plain,
    retry_after,
)
from crm_sync.rest.questions import Asked, Question, quoted
from crm_sync.rest.read_tables import ReadTable
from crm_sync.rest.tables import RestTable, TokenTable
from crm_sync.template import Template, render, template_of
from cti.clock import Clock
from cti.errors import BadInput, SettingsError
from cti.model.crm import Answer

T = TypeVar("T")

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
        """Send a request. Raises CrmError, BadInput."""
        asked = [(name, self.text(text, values)) for name, text in query.items()]
        return await self._with_key(method, self.url(path, values), asked, body or {})

    async def read(self, asked: Asked) -> Reply:
        """Send a request that asks for something or changes something there; return an answer that is a success.

        Raises CrmError; DELETED: what it is about is not there, as the CRM itself says.
        """
        body = {} if asked.body is None else {"json": asked.body}
        url = self.linked(asked.path) if asked.link else self._below(asked.path)
        reply = await self._with_key(asked.method, url, asked.query, body)
        if reply.status in (404, 410) and self.answer(reply) is Answer.PERMANENT:
            answer = Answer.RETRY if is_no_json(reply) else Answer.DELETED  # see `is_no_json`
            raise CrmError(answer, f"{reply.status} {self.plain(reply.body)}")
        self.must_be_ok(reply)
        return reply

    async def known(self, table: ReadTable, question: Question, values: Map[str, Any]) -> list[Any]:
        """Return the records that a question by id gives; none for one that is not there. Raises CrmError."""
        if table.list is not None:
            return await self.listed(question, values, table.list)
        try:
            reply = await self.answer_to(question, values)
        except CrmError as error:
            if error.answer is Answer.DELETED:
                return []
            raise
        row = at_path(reply.json, table.record)
        if not isinstance(row, Map):
            raise CrmError(Answer.RETRY, f"{question.where}: the answer has no record at {table.record!r}")
        return [row]

    async def listed(self, question: Question, values: Map[str, Any], path: str) -> list[Any]:
        """Return the list at a path of the answer. Raises CrmError."""
        return listed((await of_tables(self.answer_to(question, values))).json, path)

    async def answer_to(self, question: Question, values: Map[str, Any]) -> Reply:
        """Ask with these values; see `read`."""
        try:
            asked = question.asked(values)
        except BadInput as error:
            raise CrmError(Answer.PERMANENT, str(error)) from None
        return await self.read(asked)

    async def _with_key(
        self, method: str, url: str, query: Sequence[tuple[str, str]], body: Map[str, Any]
    ) -> Reply:
        """Send, with a new token when the one in hand is refused."""
        keys = await self._keys()
        reply = await self._send(keys, method, url, query, body)
        if reply.status == 401 and self._table.token is not None:
            if self._token == keys["token"]:  # it ran out before its time; else another has had a new one
                self._token = ""
            reply = await self._send(await self._keys(), method, url, query, body)
        return reply

    async def _send(
        self,
        keys: Map[str, str],
        method: str,
        url: str,
        query: Sequence[tuple[str, str]],
        body: Map[str, Any],
    ) -> Reply:
        headers = {name: self.text(text, keys, header=True) for name, text in self._table.headers.items()}
        headers = {"Accept": "application/json", **headers}
        return await self._requester.send(method, url, headers=headers, params=list(query), **body)

    def _below(self, path: str) -> str:
        return self._account.url.rstrip("/") + "/" + path.lstrip("/")

    def linked(self, link: str) -> str:
        """Return an address that the CRM gave, for a next page. Raises CrmError PERMANENT unless it is its own."""
        url = urljoin(self._account.url, link)
        if urlsplit(url)[:2] != urlsplit(self._account.url)[:2] or not url.isprintable() or " " in url:
            raise CrmError(Answer.PERMANENT, f"the next page is no address of this CRM: {self.plain(link)}")
        return url

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
        return self._below(self.text(path, values, url=True))

    def text(self, text: str, values: Map[str, Any], *, header: bool = False, url: bool = False) -> str:
        """Return a text with its values. Raises BadInput for what may not stand in a header or URL."""
        shown = render(self.template(text, header=header), values, fit=quoted if url else str)
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


async def of_tables(asked: Awaitable[T]) -> T:
    """Return what is asked. Raises CrmError: a list that is not there is wrong in the tables, and no deleted record."""
    try:
        return await asked
    except CrmError as error:
        if error.answer is Answer.DELETED:
            raise CrmError(Answer.PERMANENT, f"there is no such list: {error}") from None
        raise
