"""Asks HubSpot, and judges how it answered."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from crm_sync.account import Account
from crm_sync.port import CrmError
from crm_sync.requests import AnswerRule, Reply, Requester, answer_of, at_path, plain, retry_after
from cti.clock import Clock
from cti.model.crm import Answer

RULES: Final = (
    AnswerRule(means=Answer.AUTH, status=frozenset({403})),
    # the account is being moved to another data centre; Retry-After says for how long
    AnswerRule(means=Answer.AWAY, status=frozenset({477})),
)
PAUSES: Final[Mapping[str, float]] = {
    "SECONDLY": 1.0,
    "TEN_SECONDLY_ROLLING": 10.0,
    "DAILY": 3600.0,
}
"""Seconds to wait by the limit that was hit, where no header says it. The day ends at midnight of the account's zone;
once an hour it is tried."""


class HubSpotAsker:
    """Sends requests of one account and counts them."""

    def __init__(self, account: Account, requester: Requester, clock: Clock) -> None:
        self._account = account
        self._requester = requester
        self._clock = clock
        self.asked = 0

    def anew(self) -> "HubSpotAsker":
        """Return one that counts from nothing."""
        return HubSpotAsker(self._account, self._requester, self._clock)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        absent: bool = False,
    ) -> Reply | None:
        """Send, and return the answer. `absent`: 404 is an answer too, None. Raises CrmError for all others.

        A 404 that is no JSON is a gateway's, or the address is wrong: it says nothing of a record.
        """
        self.asked += 1
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self._account.secret.get_secret_value()}",
        }
        more: dict[str, Any] = {} if body is None else {"json": body}
        url = self._account.url.rstrip("/") + path
        reply = await self._requester.send(method, url, headers=headers, params=query or {}, **more)
        if absent and reply.status == 404 and isinstance(reply.json, dict):
            return None
        answer = answer_of(reply, RULES)
        if reply.status == 404 and not isinstance(reply.json, dict):
            answer = Answer.AWAY
        if answer is not Answer.OK:
            raise self._error(answer, reply)
        if reply.status != 204 and not isinstance(reply.json, dict | list):
            raise CrmError(Answer.UNKNOWN, f"the answer is no JSON: {self.plain(reply.body)}")
        return reply

    async def must(self, method: str, path: str, **given: Any) -> Any:
        """Send, and return the answer's JSON. Raises CrmError."""
        reply = await self.ask(method, path, **given)
        assert reply is not None  # noqa: S101 (absent is not given)
        return reply.json

    def _error(self, answer: Answer, reply: Reply) -> CrmError:
        pause = retry_after(reply.headers, now=self._clock.now())
        if pause is None and answer is Answer.THROTTLE:
            pause = PAUSES.get(str(at_path(reply.json, "policyName")))
        if answer is Answer.AWAY and pause is not None:
            answer = Answer.THROTTLE  # it says itself when it is back
        said = at_path(reply.json, "message")
        category = at_path(reply.json, "category")
        told = f"{category}: {said}" if said and category else said or reply.body
        return CrmError(answer, f"{reply.status} {self.plain(str(told))}", pause_seconds=pause)

    def plain(self, text: str) -> str:
        """Return a piece of an answer fit for people, without our key."""
        return plain(text, secrets=(self._account.secret.get_secret_value(),))


def part(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")
