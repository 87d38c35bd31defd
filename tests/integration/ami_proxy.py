"""A wire between the service and the PBX that can be cut: TCP on loopback, nothing of AMI is known here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from lab.settings import HOST


class AmiProxy:
    """Passes bytes on until it is cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.port = 0
        self.connections = 0
        """How many were taken so far."""
        self.heard: bytearray | None = None
        """Set it to an empty one to keep all that passes, both ways."""

    @classmethod
    @asynccontextmanager
    async def open(cls, target: int) -> AsyncIterator["AmiProxy"]:
        proxy = cls(target)
        await proxy.mend()
        try:
            yield proxy
        finally:
            await proxy.cut()

    async def cut(self) -> None:
        """Break all connections and take no new ones, as with the cable pulled and a reset on both sides."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._break()
        await asyncio.sleep(0)

    def freeze(self) -> None:
        """Pass nothing on and tell nobody: both sides still believe in their connection."""
        self._passing.clear()

    async def mend(self) -> None:
        """Take connections again; those that were frozen are gone, with all that was in them."""
        if not self._passing.is_set():
            self._break()
            self._passing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def _break(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, far_writer}
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        self._ends -= {writer, far_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65_536):
                await self._passing.wait()
                if writer.transport.is_closing():
                    break
                if self.heard is not None:
                    self.heard += chunk
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()
