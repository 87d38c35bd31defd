"""One line of a phone: its registration, and the calls that came to it."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from lab.errors import LabError
from lab.softphone import digest
from lab.softphone.behaviour import Behaviour, CallState, Ending
from lab.softphone.call import PhoneCall
from lab.softphone.message import SipMessage
from lab.softphone.transactions import Address, new_branch

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 2.0
"""Wait before another try when a registration could not be renewed."""

Request = Callable[..., Coroutine[Any, Any, SipMessage]]


@dataclass(slots=True, kw_only=True, eq=False)
class Line:
    """A user that calls can come to. Made by `Softphone.add_line`."""

    user: str
    password: str
    registrar: Address
    contact: Address
    """Host and port of the phone's socket."""
    request: Request
    """Sends a request and waits for its answer: `Transactions.request`."""
    behaviour: Behaviour
    """What it does when called; may be changed between calls."""
    calls: list[PhoneCall] = field(default_factory=list)
    """Every call that came, the newest last."""
    registered: bool = False
    dead: bool = False
    """Set by `die`: nothing gets in or out."""
    _arrivals: asyncio.Queue[PhoneCall] = field(default_factory=asyncio.Queue)
    _refreshing: asyncio.Task[None] | None = None
    _call_id: str = field(default_factory=lambda: f"{random.getrandbits(64):016x}")
    _sequence: int = 0

    @property
    def call(self) -> PhoneCall | None:
        """The newest call that is not over."""
        return next((call for call in reversed(self.calls) if call.state is not CallState.ENDED), None)

    async def next_call(self, *, within: float = 60.0) -> PhoneCall:
        """Return the next call nobody asked for yet, waiting for it to come. Raises TimeoutError."""
        async with asyncio.timeout(within):
            return await self._arrivals.get()

    def arrived(self, call: PhoneCall) -> None:
        self.calls.append(call)
        self._arrivals.put_nowait(call)

    async def register(self, *, expires: int = 60, refresh: bool = True) -> None:
        """Register, and renew it at half time. Raises LabError when refused, TimeoutError when nobody answers."""
        self.dead = False
        await self._register(expires)
        self.registered = True
        await self._stop_refreshing()
        if refresh:
            self._refreshing = asyncio.create_task(self._refresh(expires), name=f"register {self.user}")

    async def unregister(self, *, patience: float = 5.0) -> None:
        """Tell the registrar that this phone is gone. Raises TimeoutError, LabError."""
        await self._stop_refreshing()
        self.registered = False
        async with asyncio.timeout(patience):
            await self._register(0)

    def die(self) -> None:
        """Go dead as a phone that lost its power: nobody is told, nothing is answered. `register` revives it."""
        self.dead = True
        self.registered = False
        for call in self.calls:
            call.end(Ending.DIED)

    async def close(self) -> None:
        await self._stop_refreshing()
        if self.registered:
            with suppress(TimeoutError, LabError, OSError):
                await self.unregister(patience=1.0)

    async def _stop_refreshing(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})
            self._refreshing = None

    async def _refresh(self, expires: int) -> None:
        wait = expires / 2
        while True:
            await asyncio.sleep(wait)
            if self.dead:
                return
            try:
                await self._register(expires)
                self.registered, wait = True, expires / 2
            except (TimeoutError, LabError) as error:
                self.registered, wait = False, RETRY_SECONDS
                log.warning("%s could not renew its registration: %s", self.user, error)

    async def _register(self, expires: int) -> None:
        answer = await self.request(self._registration(expires), self.registrar)
        if answer.status == 401:
            credentials = digest.answer(
                digest.parse_challenge(answer.header("www-authenticate")),
                method="REGISTER",
                uri=f"sip:{self.registrar[0]}:{self.registrar[1]}",
                user=self.user,
                password=self.password,
                cnonce=f"{random.getrandbits(32):08x}",
            )
            answer = await self.request(self._registration(expires, credentials), self.registrar)
        if answer.status != 200:
            raise LabError(f"{self.user} could not register: {answer.first}")

    def _registration(self, expires: int, credentials: str = "") -> SipMessage:
        self._sequence += 1
        here, there = f"{self.contact[0]}:{self.contact[1]}", f"{self.registrar[0]}:{self.registrar[1]}"
        headers = [
            ("via", f"SIP/2.0/UDP {here};branch={new_branch()};rport"),
            ("max-forwards", "70"),
            ("from", f"<sip:{self.user}@{there}>;tag={self._call_id[:8]}"),
            ("to", f"<sip:{self.user}@{there}>"),
            ("call-id", self._call_id),
            ("cseq", f"{self._sequence} REGISTER"),
            ("contact", f"<sip:{self.user}@{here}>"),
            ("expires", str(expires)),
        ]
        if credentials:
            headers.append(("authorization", credentials))
        return SipMessage(f"REGISTER sip:{there} SIP/2.0", tuple(headers))
