"""Requests to a CRM over HTTP, and how its answers are judged. Shared by all adapters that speak HTTP.

What is certain not to have been sent is told from what may have been. An answer is read up to a limit, within a time;
redirects are not followed, for a write that is sent on is sent twice.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from crm_sync.port import CrmError
from crm_sync.tab import noted
from cti.model.crm import Answer

MOST_BYTES: Final = 4 * 1024 * 1024
"""An answer about one call has some kilobytes; a page of records, hundreds."""
LONGEST_PAUSE_SECONDS: Final = 24 * 3600.0
MESSAGE_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that came whole."""

    status: int
    headers: Mapping[str, str]
    body: str
    json: Any
    """What the body says, None when it is no JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """How an answer is to be understood: all that is given must hold. The first rule that does decides."""

    means: Answer
    status: frozenset[int] = frozenset()
    body: re.Pattern[str] | None = None
    """Found anywhere in the body."""

    def fits(self, reply: Reply) -> bool:
        """Whether it is about this answer."""
        if self.status and reply.status not in self.status:
            return False
        return self.body is None or self.body.search(reply.body) is not None


def judged(status: int) -> Answer:
    """Return what a status means where nothing better is known of a CRM.

    5xx from whoever may have begun to work is unknown: 502 and 504 come from gateways that had sent the request on.
    """
    if 200 <= status < 300:
        return Answer.OK
    if status in (401, 407):
        return Answer.AUTH
    if status in (409, 423, 425):
        return Answer.RETRY
    if status == 429:
        return Answer.THROTTLE
    if status == 503 or 300 <= status < 400:
        return Answer.AWAY
    if status in (408, 500, 502, 504) or 520 <= status <= 530:
        return Answer.UNKNOWN
    return Answer.PERMANENT


def answer_of(reply: Reply, rules: Sequence[AnswerRule] = (), *, makes: bool = False) -> Answer:
    """Return what the CRM meant. `makes`: the request makes a record each time it is sent."""
    ruled = next((rule.means for rule in rules if rule.fits(reply)), None)
    if ruled is not None:
        return ruled
    return Answer.UNKNOWN if makes and may_have_made(reply) else judged(reply.status)


def may_have_made(reply: Reply) -> bool:
    """Whether a record may have been made though the status says that nobody worked on it.

    Some gateways (Envoy, Heroku's, Cloud Run's) say 503 when the answer of the CRM is lost, too; none of them says then
    when to come again. 303 sends a browser on after a form was taken.
    """
    return reply.status == 303 or (reply.status == 503 and "Retry-After" not in reply.headers)


def is_no_json(reply: Reply) -> bool:
    """Whether an answer says something, and not in JSON: a page of a gateway or a sign-in, with 200, too.

    With 404 it is no word of the CRM's: the address is wrong, or the CRM is being exchanged. Proxies (Traefik, the
    ingress of nginx) say "404 page not found" in plain text then.
    """
    return reply.json is None and reply.body.strip() not in ("", "null")


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return the seconds that `Retry-After` (RFC 9110, 10.2.3) asks for: a number or a date; None without one."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return min(max(0.0, float(text)), LONGEST_PAUSE_SECONDS)  # 0 for what is no number at all
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), LONGEST_PAUSE_SECONDS)


def said_at(reply: Reply) -> datetime | None:
    """Return when it was answered, by the CRM's own clock, to the second; None: it does not say."""
    try:
        at = parsedate_to_datetime(reply.headers.get("Date", ""))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def plain(text: str, *, secrets: Sequence[str] = ()) -> str:
    """Return a piece of an answer fit for logs and people: short, one line, no secret."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = re.sub(r"\s+", " ", "".join(one if one.isprintable() else " " for one in text)).strip()
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - 1] + "…"


def at_path(tree: Any, path: str) -> Any:
    """Return what stands at a dotted path (`data.0.id`) of JSON, None when nothing does; "" is the whole."""
    for step in path.split(".") if path else ():
        match tree:
            case dict():
                tree = tree.get(step)
            case list() if step.isdecimal() and int(step) < len(tree):
                tree = tree[int(step)]
            case _:
                return None
    return tree


def listed(tree: Any, path: str) -> list[Any]:
    """Return the list at a path of an answer. Raises CrmError RETRY: an answer without one is not what was asked."""
    rows = at_path(tree, path)
    if not isinstance(rows, list):
        raise CrmError(Answer.RETRY, f"the answer has no list {path!r}")
    return rows


class Requester:
    """Sends requests to one CRM. Use as an async context manager."""

    def __init__(
        self, *, timeout_seconds: float = 30.0, connect_seconds: float = 10.0, at_once: int = 16
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=connect_seconds)
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Requester":
        self._session = aiohttp.ClientSession(
            timeout=self._timeout,
            connector=aiohttp.TCPConnector(limit=self._at_once),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, method: str, url: str, *, headers: Mapping[str, str], **body: Any) -> Reply:
        """Send, and return the answer whatever its status. `body`: as aiohttp takes it (`json`, `data`, `params`).

        Raises CrmError: AWAY when surely nothing was sent, UNKNOWN when it may have been and no whole answer came.
        """
        if self._session is None:
            raise RuntimeError("a Requester is opened before it sends")
        noted()
        try:
            async with self._session.request(
                method, url, headers=headers, allow_redirects=False, **body
            ) as answer:
                raw = await _read(answer)
                return _reply(answer, raw)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise CrmError(Answer.AWAY, f"cannot be reached: {plain(str(error))}") from None
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
            raise CrmError(Answer.PERMANENT, f"cannot be asked: {plain(str(error))}") from None
        except TimeoutError:
            raise CrmError(Answer.UNKNOWN, "no answer came in time") from None
        except (aiohttp.ClientError, OSError) as error:
            said = plain(str(error)) or type(error).__name__
            raise CrmError(Answer.UNKNOWN, f"the answer broke off: {said}") from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    raw = await answer.content.read(MOST_BYTES + 1)
    while len(raw) <= MOST_BYTES and (more := await answer.content.read(MOST_BYTES + 1 - len(raw))):
        raw += more
    if len(raw) > MOST_BYTES:
        answer.close()
        raise CrmError(Answer.UNKNOWN, f"the answer is longer than {MOST_BYTES} bytes")
    return raw


def _reply(answer: aiohttp.ClientResponse, raw: bytes) -> Reply:
    text = raw.decode("utf-8", "replace")
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        tree = None
    return Reply(status=answer.status, headers=answer.headers, body=text, json=tree)
