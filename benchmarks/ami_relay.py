"""A TCP relay between PBX and whoever speaks AMI, which notes when the bytes of our channels' events pass."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

WATCHED = (b"Event: Newchannel\r\n", b"Event: Hangup\r\n")
CALL_ID = b"\r\nUniqueid: waihu-c-"


class AmiRelay:
    """Passes bytes on at once and looks at them afterwards."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self.port = 0
        self.passed: dict[tuple[str, str], float] = {}
        """When the last byte of an event passed (monotonic seconds), by its name and call id."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator["AmiRelay"]:
        """Listen on a free port of the loopback for as long as the block lasts."""
        server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._to)
        with suppress(ConnectionError):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass_on(reader, back))
                tasks.create_task(self._watch(there, writer))

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        while received := await reader.read(2**16):
            now = time.monotonic()
            writer.write(received)
            *blocks, rest = (rest + received).split(b"\r\n\r\n")
            for block in blocks:
                self.note(block, now)
        writer.close()

    def note(self, block: bytes, now: float) -> None:
        """Take note of a message that passed at `now`, when it is watched."""
        for name in WATCHED:
            if block.startswith(name):
                _, found, rest = block.partition(CALL_ID)
                if found:
                    event = name.removeprefix(b"Event: ").strip().decode()
                    self.passed[event, rest[:32].decode()] = now


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while received := await reader.read(2**16):
        writer.write(received)
        await writer.drain()
    writer.close()
