"""Asks BottleCRM, and judges how it answered. No memory but of connections.

It refuses a key with 403, as it refuses a person's right; and a record that is gone, one that the key's account may not
see, a module that is switched off and an address that is no BottleCRM all answer 404. The bodies tell them apart.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from typing import Any, Final

from crm_sync.account import Account
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
from crm_sync.tab import together
from cti.clock import Clock
from cti.model.crm import Answer, RecordRef

MOST_ROWS: Final = 200
"""Interactions in one answer."""
MOST_PAGES: Final = 500

RULES: Final = (
    # its clock is behind ours: in some minutes it takes the call
    AnswerRule(means=Answer.RETRY, status=frozenset({400}), body=re.compile("minutes in the future")),
    # a right of this one record; a key that is unknown or lacks a scope answers without `errors`
    AnswerRule(means=Answer.PERMANENT, status=frozenset({403}), body=re.compile('"errors"')),
    AnswerRule(means=Answer.AUTH, status=frozenset({403})),
    AnswerRule(means=Answer.PERMANENT, status=frozenset({404}), body=re.compile('"module_off"')),
    AnswerRule(means=Answer.DELETED, status=frozenset({404}), body=re.compile(r'^\s*\{"detail"')),
    # a page of some other program: the address is wrong, or it is being exchanged
    AnswerRule(means=Answer.AWAY, status=frozenset({404, 405})),
)  # fmt: skip

Query = Sequence[tuple[str, str]]


class BottleAsker:
    """Sends requests. Methods raise CrmError; DELETED: there is no such record, or the key's account may not see it."""

    def __init__(self, account: Account, requester: Requester, clock: Clock, *, at_once: int) -> None:
        self._account = account
        self._requester = requester
        self._clock = clock
        self._at_once = at_once

    async def ask(
        self, method: str, path: str, *, query: Query = (), body: Any = None, makes: bool = False
    ) -> Any:
        """Return what it answers, as JSON. `makes`: the request makes a record each time it is sent."""
        return (await self.reply(method, path, query=query, body=body, makes=makes)).json

    async def reply(
        self, method: str, path: str, *, query: Query = (), body: Any = None, makes: bool = False
    ) -> Reply:
        """Return the answer to a request that went well."""
        secret = self._account.secret.get_secret_value()
        more: dict[str, Any] = {} if body is None else {"json": body}
        reply = await self._requester.send(
            method,
            self._account.url.rstrip("/") + path,
            headers={"Accept": "application/json", "Authorization": f"Bearer {secret}"},
            params=list(query),
            **more,
        )
        answer = answer_of(reply, RULES, makes=makes)
        said = plain(reply.body, secrets=(secret,))
        if answer is Answer.OK and is_no_json(reply):
            raise CrmError(Answer.UNKNOWN, f"{reply.status}, and the answer is no JSON: {said}")
        if answer is Answer.OK:
            return reply
        pause = retry_after(reply.headers, now=self._clock.now())
        if answer is Answer.AWAY and pause is not None:
            answer = Answer.THROTTLE  # it says itself when it is back
        raise CrmError(answer, f"{reply.status} {said}", pause_seconds=pause)

    async def interactions(self, place: RecordRef) -> list[Any]:
        """Return all interactions of a record, each once, none when the record is not there."""
        rows: dict[Any, Any] = {}
        offset = 0
        for _ in range(MOST_PAGES):
            query = [(place.kind, place.id), ("limit", str(MOST_ROWS)), ("offset", str(offset))]
            try:
                tree = await self.ask("GET", "/api/interactions/", query=query)
            except CrmError as error:
                if error.answer is Answer.DELETED:
                    return list(rows.values())
                raise
            some = listed(tree, "interactions")
            if offset and (not some or at_path(some[0], "id") not in rows):
                # some were deleted, and others moved up past the offset: one of them might be what is looked for
                raise CrmError(Answer.RETRY, f"the interactions of {place} changed while they were read")
            rows |= {at_path(row, "id"): row for row in some}
            if len(some) < MOST_ROWS:
                return list(rows.values())
            offset += MOST_ROWS - 1  # pages overlap by one
        raise CrmError(Answer.PERMANENT, f"{place} has more than {len(rows)} interactions")

    async def interactions_of(self, places: Iterable[RecordRef]) -> AsyncIterator[Any]:
        """Give the interactions of many records, some of which are asked at one time."""
        waiting = list(places)
        for first in range(0, len(waiting), self._at_once):
            some = waiting[first : first + self._at_once]
            asks = [partial(self.interactions, place) for place in some]
            for rows in await together(asks, at_once=self._at_once):
                for row in rows:
                    yield row


def is_shut(error: CrmError) -> bool:
    """Whether the key lacks a scope, or the module is switched off."""
    return lacks_scope(error) or (error.answer is Answer.PERMANENT and "module_off" in str(error))


def lacks_scope(error: CrmError) -> bool:
    """Whether the key lacks a scope."""
    return error.answer is Answer.AUTH and "scope" in str(error)
