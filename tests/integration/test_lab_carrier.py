"""What the carrier does with a number is what the PBX tells of the call: the same table as docs/reference/lab.md."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from lab import Lab
from lab.ami import Message
from tests.integration.calls import PlacedCall


@dataclass(frozen=True)
class Case:
    number: str
    cause: str
    sip: str
    dial_states: tuple[str, ...]
    answered: bool = False
    ring_seconds: float = 8.0


CASES = {
    "a person who rings 1 s and hangs up 2 s later": Case("021001", "16", "", ("RINGING", "ANSWER"), True),
    "a person who answers at once": Case("011100", "16", "", ("ANSWER",), True),
    "a machine": Case("022000", "16", "", ("ANSWER",), True),
    "a fax": Case("028000", "16", "", ("ANSWER",), True),
    "a real fax": Case("028100", "16", "", ("ANSWER",), True),
    "hangs up after a second": Case("009000", "16", "", ("ANSWER",), True),
    "answers and is silent": Case("019100", "16", "", ("ANSWER",), True),
    "an echo": Case("019800", "16", "", ("ANSWER",), True),
    "a tone": Case("019900", "16", "", ("ANSWER",), True),
    "busy": Case("003000", "17", "486", ("BUSY",)),
    "busy after ringing": Case("003001", "17", "486", ("RINGING", "BUSY")),
    "rings for ever": Case("004000", "19", "480", ("RINGING",), ring_seconds=1.5),
    "unallocated": Case("005000", "1", "404", ("NOANSWER",)),
    "unavailable": Case("006000", "19", "480", ("NOANSWER",)),
    "congestion": Case("007000", "34", "503", ("CONGESTION",)),
    "an announcement, then unallocated": Case("009200", "1", "404", ("PROGRESS", "NOANSWER")),
    "rejected": Case("009300", "21", "403", ("NOANSWER",)),
    "number changed": Case("009400", "22", "410", ("NOANSWER",)),
    "bad format": Case("009500", "28", "484", ("NOANSWER",)),
    "failure": Case("009600", "38", "500", ("NOANSWER",)),
    "an announcement, then busy": Case("009700", "17", "486", ("PROGRESS", "BUSY")),
    "dead": Case("000000", "19", "480", (), ring_seconds=1.5),
}


@dataclass(frozen=True)
class Told:
    """What AMI told of a call."""

    hangup: Message
    response: Message
    dial_states: tuple[str, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(lab: Lab) -> AsyncIterator[dict[str, Told]]:
    """All cases at once: they do not disturb each other."""
    async with lab.pbx.admin() as ami:

        async def run(case: Case) -> Told:
            call = PlacedCall(number=f"+49123{case.number}", ami=ami, grace=9)
            await call.place(ring_seconds=case.ring_seconds)
            hangup = await call.hangup()
            response = await ami.expect("OriginateResponse", Uniqueid=call.channel)
            states = [
                e
                for e in ami.events
                if e["Event"] in ("DialState", "DialEnd") and e["DestUniqueid"] == call.channel
            ]
            return Told(hangup, response, tuple(e["DialStatus"] for e in states))

        results = await asyncio.gather(*(run(case) for case in CASES.values()))
        yield dict(zip(CASES, results, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_a_number_ends_as_the_plan_says(told: dict[str, Told], name: str) -> None:
    case, seen = CASES[name], told[name]
    assert (seen.hangup["Cause"], seen.dial_states) == (case.cause, case.dial_states)
    assert (seen.response["Response"] == "Success") is case.answered
    if not case.answered:
        assert seen.hangup["TechCause"].startswith(case.sip)
