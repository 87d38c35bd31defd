"""A small AMI client for the lab's own needs and its tests. The product's client is another one, on purpose.

It keeps every event it saw, so that a test may ask for one that came before the question.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from lab.errors import AmiRefused

ANSWER_SECONDS: Final = 15.0
LINE_LIMIT: Final = 2**20


@dataclass(frozen=True, slots=True)
class Message:
    """One AMI message: headers in their order; a name may come more than once."""

    headers: tuple[tuple[str, str], ...]

    def __getitem__(self, name: str) -> str:
        """Return the first value of this header, "" when it is not there."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    def all(self, name: str) -> list[str]:
        """Return every value of this header."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def matches(self, event: str, **headers: str) -> bool:
        """Say whether this is that event with these values."""
        return self["Event"] == event and all(self[name] == value for name, value in headers.items())


def parse(block: str) -> Message:
    """Return the message of one block of lines."""
    pairs = (line.partition(":") for line in block.splitlines())
    return Message(tuple((name.strip(), value.strip()) for name, colon, value in pairs if colon))


class Ami:
    """One logged-in connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._news = asyncio.Condition()
        self.events: list[Message] = []
        self.closed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, *, host: str, port: int, user: str, secret: str) -> AsyncIterator["Ami"]:
        """Connect and log in. Raises OSError when nobody is there, AmiRefused when the login is wrong."""
        reader, writer = await asyncio.open_connection(host, port, limit=LINE_LIMIT)
        ami = cls(reader, writer)
        reading = asyncio.create_task(ami._read(), name=f"ami {port}")
        try:
            await ami.action("Login", Username=user, Secret=secret)
            yield ami
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def action(self, name: str, *variables: tuple[str, str], **headers: object) -> Message:
        """Send an action, return its response. `variables` become Variable headers. Raises AmiRefused."""
        answer = await self.try_action(name, *variables, **headers)
        if answer["Response"] not in ("Success", "Goodbye"):
            raise AmiRefused(f"{name}: {answer['Message'] or answer['Response']}")
        return answer

    async def try_action(self, name: str, *variables: tuple[str, str], **headers: object) -> Message:
        """Like `action`, but an error comes back as the response it is."""
        action_id = str(next(self._ids))
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[action_id] = answer
        pairs = [("Action", name), ("ActionID", action_id), *headers.items()]
        pairs += [("Variable", f"{key}={value}") for key, value in variables]
        self._writer.write("".join(f"{key}: {value}\r\n" for key, value in pairs).encode() + b"\r\n")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        finally:
            self._answers.pop(action_id, None)

    async def command(self, line: str) -> str:
        """Run a command of Asterisk's console, return what it prints."""
        return "\n".join((await self.try_action("Command", Command=line)).all("Output"))

    async def expect(self, event: str, *, within: float = 60.0, after: int = 0, **headers: str) -> Message:
        """Return the first such event from number `after` on, waiting for it. Raises TimeoutError naming it."""
        found = await self.when(lambda message: message.matches(event, **headers), within=within, after=after)
        if found is None:
            raise TimeoutError(f"no {event} with {headers} within {within:g} s")
        return found

    async def when(
        self, wanted: Callable[[Message], bool], *, within: float, after: int = 0
    ) -> Message | None:
        """Return the first event that is wanted, None when none comes in time."""
        position = after
        with suppress(TimeoutError):
            async with asyncio.timeout(within), self._news:
                while True:
                    for message in self.events[position:]:
                        if wanted(message):
                            return message
                    position = len(self.events)
                    await self._news.wait()
        return None

    def seen(self, event: str, **headers: str) -> list[Message]:
        """Return every such event that came so far."""
        return [message for message in self.events if message.matches(event, **headers)]

    async def _read(self) -> None:
        try:
            await self._reader.readline()
            async for block in _blocks(self._reader):
                await self._take(parse(block))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.closed.set()
            _fail(self._answers.values(), ConnectionError("AMI connection closed"))

    async def _take(self, message: Message) -> None:
        if message["Event"]:
            async with self._news:
                self.events.append(message)
                self._news.notify_all()
        elif (answer := self._answers.get(message["ActionID"])) and not answer.done():
            answer.set_result(message)


async def _blocks(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    while True:
        yield (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")


def _fail(answers: Iterable[asyncio.Future[Message]], error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(error)
