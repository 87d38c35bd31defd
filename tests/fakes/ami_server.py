"""A small AMI server on a real socket, for what a real Asterisk cannot be told to do on demand."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
SECRET = "secret"
Headers = dict[str, list[str]]
Answer = Callable[[Headers], bytes | None]


def block(headers: Mapping[str, str]) -> bytes:
    """Return one message as bytes."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"


class AmiServer:
    """Speaks bytes. `received` are all actions, `answers` how to answer them; an answer of None is silence."""

    def __init__(self, *, secret: str = SECRET, booted: bool = True) -> None:
        self.secret = secret
        self.booted = booted
        self.received: list[Headers] = []
        self.raw = b""
        self.logins = 0
        self.answers: dict[str, Answer] = {}
        self.cut_after: str | None = None
        """Name of the action on which the connection is cut instead of answering."""
        self.arrived = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> "AmiServer":
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def listen(self) -> None:
        """Open the port; the same one again after `stop`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            self._server.close()
        self.drop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """Cut all connections at once."""
        for writer in self._writers:
            writer.transport.abort()

    async def write(self, content: bytes) -> None:
        """Send these bytes to everybody, in one write that has left when this returns."""
        for writer in list(self._writers):
            writer.write(content)
            await writer.drain()

    async def say(self, **headers: str) -> None:
        """Send one event."""
        await self.write(block(headers))

    def actions(self, name: str) -> list[Headers]:
        """List the actions of a kind that arrived."""
        return [action for action in self.received if action["Action"] == [name]]

    async def until_received(self, name: str, count: int = 1) -> None:
        """Wait until so many actions of a kind have arrived."""
        while len(self.actions(name)) < count:
            self.arrived.clear()
            await self.arrived.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            writer.write(BANNER)
            while True:
                received = await reader.readuntil(b"\r\n\r\n")
                self.raw += received
                await self._take(received, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _take(self, received: bytes, writer: asyncio.StreamWriter) -> None:
        action: Headers = {}
        for line in received.decode().strip("\r\n").split("\r\n"):
            name, _, value = line.partition(": ")
            action.setdefault(name, []).append(value)
        self.received.append(action)
        self.arrived.set()
        if action["Action"] == [self.cut_after]:
            writer.transport.abort()
            return
        answer = self.answers.get(action["Action"][0], self._usual)(action)
        if answer is not None:
            writer.write(answer)
            await writer.drain()

    def _usual(self, action: Headers) -> bytes:
        match action["Action"][0]:
            case "Login":
                return self._login(action)
            case "CoreShowChannels":
                return listed(action, "CoreShowChannel", [])
            case "PJSIPShowContacts":
                return listed(action, "ContactList", [])
            case "Hangup":
                return error(action, "No such channel")
        return success(action)

    def _login(self, action: Headers) -> bytes:
        if action["Secret"] != [self.secret]:
            return error(action, "Authentication failed")
        self.logins += 1
        booted = block({"Event": "FullyBooted", "Privilege": "system,all", "Status": "Fully Booted"})
        return success(action) + (booted if self.booted else b"")


def success(action: Headers, **more: str) -> bytes:
    """Return the answer to an action that was carried out."""
    return block({"Response": "Success", "ActionID": action["ActionID"][0], **more})


def error(action: Headers, message: str) -> bytes:
    """Return the answer to an action that was refused."""
    return block({"Response": "Error", "ActionID": action["ActionID"][0], "Message": message})


def listed(action: Headers, event: str, rows: list[dict[str, str]]) -> bytes:
    """Return the answer to a list action."""
    action_id = action["ActionID"][0]
    start = success(action, EventList="start", Message="Channels will follow")
    middle = [block({"Event": event, "ActionID": action_id, **row}) for row in rows]
    end = block({"Event": f"{event}sComplete", "ActionID": action_id, "EventList": "Complete"})
    return start + b"".join(middle) + end
