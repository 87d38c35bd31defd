"""The public network as one softphone of ours: a line for each number, so that a test knows of every INVITE.

It stands where the PBX's trunk `lab` points. What a customer says of his own call (rung when, answered when, over when)
comes from his phone alone: it is the account that the service's records are compared with.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lab import Lab
from lab.softphone import Behaviour, Line, PhoneCall, Softphone, tone
from lab.softphone.call import CallState

CUSTOMER_TONE: Final = 600
AGENT_TONE: Final = 1500
BEEP_TONE: Final = 1000
"""Of the lab's short message `lab-beep`."""
TRUNK: Final = "lab"
TICK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What somebody does when his phone rings."""

    answer_after: float | None = 0.2
    """Seconds of ringing; None: never."""
    refuse: int | None = None
    """SIP code instead of an answer."""
    talks: float | None = None
    """Seconds after his answer until he hangs up; None: he stays."""
    voice: bytes = tone(CUSTOMER_TONE)
    """What he says, again and again."""


class Customers:
    """All numbers and what became of the calls to them."""

    def __init__(self, phone: Softphone) -> None:
        self._phone = phone
        self._people: dict[str, Person] = {}
        self._farewells: set[asyncio.Task[None]] = set()
        self._said: set[str] = set()
        self._skew = time.time() - time.monotonic()

    @classmethod
    @asynccontextmanager
    async def open(cls, lab: Lab) -> AsyncIterator["Customers"]:
        async with lab.softphone(port=lab.settings.lab_sip_port) as phone:
            customers = cls(phone)
            clock = asyncio.create_task(customers._hang_up_in_time(), name="customers")
            try:
                yield customers
            finally:
                clock.cancel()
                await asyncio.wait({clock, *customers._farewells})

    def add(self, person: Person) -> str:
        """Return the number of one more customer."""
        number = f"+4930{2_000_000 + len(self._people)}"
        behaviour = Behaviour(
            answer_after=person.answer_after, refuse=person.refuse, voice=person.voice, record=False
        )
        self._phone.add_line(number, "", self._phone.address, behaviour)
        self._people[number] = person
        return number

    def line(self, number: str) -> Line:
        return self._phone.lines[number]

    def calls(self, number: str) -> list[PhoneCall]:
        """List the INVITEs that came for this number."""
        return self.line(number).calls

    def invited(self) -> dict[str, int]:
        """Count the INVITEs by number."""
        return {number: len(self.calls(number)) for number in self._people}

    def up(self) -> list[PhoneCall]:
        return [call for number in self._people for call in self.calls(number) if call.state is CallState.UP]

    def at(self, monotonic: float) -> datetime:
        """Return the time of day of a moment of a phone."""
        return datetime.fromtimestamp(monotonic + self._skew, UTC)

    async def _hang_up_in_time(self) -> None:
        while True:
            now = time.monotonic()
            for number, person in self._people.items():
                for call in self.calls(number)[-1:]:
                    if self._is_time(call, person, now):
                        self._said.add(call.id)
                        task = asyncio.create_task(_farewell(call), name=f"{number} hangs up")
                        self._farewells.add(task)
                        task.add_done_callback(self._farewells.discard)
            await asyncio.sleep(TICK_SECONDS)

    def _is_time(self, call: PhoneCall, person: Person, now: float) -> bool:
        if person.talks is None or call.state is not CallState.UP or call.id in self._said:
            return False
        return call.times.answered is not None and now - call.times.answered >= person.talks


async def _farewell(call: PhoneCall) -> None:
    with suppress(TimeoutError):  # a dead Asterisk says nothing
        await call.hang_up()
