"""The phone: one UDP socket for the signalling of hundreds of lines, and the 20 ms clock of their voices."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from lab.errors import PortTaken
from lab.settings import HOST
from lab.softphone import message as sip
from lab.softphone.answering import Answering
from lab.softphone.behaviour import Behaviour
from lab.softphone.call import PhoneCall
from lab.softphone.line import Line
from lab.softphone.message import SipMessage
from lab.softphone.transactions import Address, Transactions

FRAME_SECONDS: Final = 0.02
SLACK_SECONDS: Final = 1.0
"""A clock that is later than this does not catch up: the machine was asleep."""


class Softphone(asyncio.DatagramProtocol):
    """Lines on one socket. Calls for users without a line are taken as `stranger` says, or get 404."""

    def __init__(self, stranger: Behaviour | None) -> None:
        self.lines: dict[str, Line] = {}
        self._socket: asyncio.DatagramTransport | None = None
        self._transactions = Transactions(self._send)
        self._answering = Answering(lines=self.lines, send=self._send, transactions=self._transactions)
        self._answering.stranger = stranger

    @classmethod
    @asynccontextmanager
    async def open(
        cls, *, host: str = HOST, port: int = 0, stranger: Behaviour | None = None
    ) -> AsyncIterator["Softphone"]:
        """Open the socket (port 0: any free one). At the end hang up, unregister, close."""
        phone = cls(stranger)
        loop = asyncio.get_running_loop()
        try:
            phone._socket, _ = await loop.create_datagram_endpoint(lambda: phone, local_addr=(host, port))
        except OSError as error:
            raise PortTaken(f"the softphone can not have UDP {host}:{port}: {error.strerror}") from error
        phone._answering.address = phone._socket.get_extra_info("sockname")
        clock = asyncio.create_task(phone._speak(), name="softphone clock")
        try:
            yield phone
        finally:
            await phone._close()
            clock.cancel()
            await asyncio.wait({clock})

    @property
    def address(self) -> Address:
        """Host and port of the socket."""
        return self._answering.address

    @property
    def strangers(self) -> list[PhoneCall]:
        """Calls for users without a line, the newest last."""
        return self._answering.strangers

    @property
    def stranger(self) -> Behaviour | None:
        """What to do with them; None: not found."""
        return self._answering.stranger

    @stranger.setter
    def stranger(self, behaviour: Behaviour | None) -> None:
        self._answering.stranger = behaviour

    def add_line(
        self, user: str, password: str, registrar: Address, behaviour: Behaviour | None = None
    ) -> Line:
        """Return a new line, not registered yet. Without `behaviour` it answers at once and says nothing."""
        line = self.lines[user] = Line(
            user=user,
            password=password,
            registrar=registrar,
            contact=self.address,
            request=self._transactions.request,
            behaviour=behaviour or Behaviour(),
        )
        return line

    def datagram_received(self, datagram: bytes, peer: Address) -> None:
        message = sip.parse(datagram)
        if message is None:
            return
        if message.is_response:
            self._transactions.answered(message)
        else:
            self._answering.requested(message, peer)

    def _send(self, message: SipMessage, to: Address) -> None:
        if self._socket is not None and not self._socket.is_closing():
            self._socket.sendto(sip.render(message), to)

    async def _speak(self) -> None:
        """One clock for all voices: every 20 ms a packet of each call that is up."""
        due = time.monotonic()
        while True:
            self._answering.speak()
            due += FRAME_SECONDS
            if time.monotonic() - due > SLACK_SECONDS:
                due = time.monotonic()
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _close(self) -> None:
        await self._answering.close()
        await asyncio.gather(*(line.close() for line in self.lines.values()))
        self._transactions.close()
        if self._socket is not None:
            self._socket.close()
