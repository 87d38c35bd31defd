"""Writes what one node says to JSON lines, from which a replay test can be made. It changes nothing on the node.

A line is one thing that came, with `at`, the seconds since the recording began:
`{"at", "message": [header lines]}`, `{"at", "connected": true}`, `{"at", "lost": reason}`, `{"at", "gap": missed}`, and
`{"at", "asked": action, "answers": [[header lines], ...]}` for what Asterisk answered to a question, and
`{"at", "ordered": {headers}}` for an order of ours, when it left.

    python -m cti.ami.recorder --host 127.0.0.1 --port 5038 --user cti > stream.jsonl      (asks for the secret)
"""

import argparse
import asyncio
import getpass
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from cti.ami.actions import Action
from cti.ami.inbox import Inbox
from cti.ami.message import Message
from cti.ami.panoramisk_client import AmiAccount, PanoramiskClient
from cti.ami.ports import AmiClient, Connected, Gap, Happening, Lost
from cti.clock import Clock, SystemClock
from cti.service import running

Write = Callable[[str], object]

INBOX: Final = 100_000
"""Happenings that may wait to be read; the client behind has its own limit."""

QUESTIONS: Final = frozenset({"CoreShowChannels", "CoreStatus", "CoreSettings", "PJSIPShowContacts"})
"""Actions that ask; their answers belong to the stream. Answers to orders do not: events tell what came of them."""


class RecordingClient:
    """An `AmiClient` that hands everything on to another one, and writes down what came back. A service."""

    def __init__(self, client: AmiClient, *, write: Write, clock: Clock) -> None:
        self._client = client
        self._inbox = Inbox(client.node, INBOX)
        self._write = write
        self._clock = clock
        self._began = clock.monotonic()

    @property
    def node(self) -> str:
        return self._client.node

    @property
    def connected(self) -> bool:
        return self._client.connected

    async def send(self, action: Action) -> Message:
        self._leaves(action)
        answer = await self._client.send(action)
        self._answered(action, [answer])
        return answer

    async def send_all(self, *actions: Action) -> list[Message]:
        for action in actions:
            self._leaves(action)
        answers = await self._client.send_all(*actions)
        for action, answer in zip(actions, answers, strict=True):
            self._answered(action, [answer])
        return answers

    async def collect(self, action: Action) -> list[Message]:
        rows = await self._client.collect(action)
        self._answered(action, rows)
        return rows

    async def next(self) -> Happening:
        return await self._inbox.next()

    def pending(self) -> int:
        return len(self._inbox)

    @property
    def name(self) -> str:
        return f"recorder-{self.node}"

    async def run(self) -> None:
        """Write what comes as soon as it comes, whenever it is read; so its place among the answers is the true one."""
        while True:
            happening = await self._client.next()
            self._line(**_told(happening))
            self._inbox.put(happening)

    def _leaves(self, action: Action) -> None:
        if action["Action"] not in QUESTIONS:
            self._line(ordered=dict(action))

    def _answered(self, action: Action, answers: Sequence[Message]) -> None:
        if action["Action"] in QUESTIONS:
            self._line(asked=action["Action"], answers=[answer.lines for answer in answers])

    def _line(self, **fields: Any) -> None:
        at = round(self._clock.monotonic() - self._began, 6)
        self._write(json.dumps({"at": at, **fields}, ensure_ascii=False) + "\n")


def _told(happening: Happening) -> dict[str, Any]:
    match happening:
        case Message(lines=lines):
            return {"message": lines}
        case Connected():
            return {"connected": True}
        case Lost(reason=reason):
            return {"lost": reason}
        case Gap(missed=missed):
            return {"gap": missed}


async def record(account: AmiAccount, write: Write) -> None:
    """Write all that the node says, until cancelled."""
    client = PanoramiskClient(account)
    recording = RecordingClient(client, write=write, clock=SystemClock())
    async with running(recording, client):
        while True:
            await recording.next()


def _main() -> None:
    parser = argparse.ArgumentParser(
        description="Write what an Asterisk node says over AMI to standard output."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5038)
    parser.add_argument("--user", default="cti")
    given = parser.parse_args()
    secret = getpass.getpass(f"secret of the AMI user {given.user}: ")
    account = AmiAccount(node="node", host=given.host, port=given.port, user=given.user, secret=secret)

    def write(line: str) -> None:
        sys.stdout.write(line)
        sys.stdout.flush()

    with suppress(KeyboardInterrupt):
        asyncio.run(record(account, write))


if __name__ == "__main__":
    _main()
