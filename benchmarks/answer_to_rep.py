"""From the customer's 200 OK to the first voice each side hears: the service beside a bare Bridge.

Customer and reps are softphones of this process, so all moments are of one clock. The customer says 600 Hz and the rep
1000 Hz; a side hears the other with the first packet of 20 ms that holds more of that tone than of anything else.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import said
from benchmarks.child import Child, child
from benchmarks.numbers import answering_number
from benchmarks.rows import Row, Spread, ratio
from lab.daemon import Daemon, daemon_beside
from lab.exchange import Lab
from lab.settings import LabSettings
from lab.softphone import Behaviour, Line, PhoneCall, Softphone, tone

NAME = "answer_to_rep"
CALLS = 100
CUSTOMER_HZ, REP_HZ = 600, 1000
RINGING_SECONDS = 0.1
TALK_SECONDS = 0.1
"""After both have heard each other."""
LOOK_SECONDS = 0.002
WAIT_SECONDS = 15.0
FRAME_SECONDS = 0.02
CAMPAIGN = "bench"
OURS, BARE = "a001", "a002"


@dataclass(slots=True)
class Heard:
    """Milliseconds after the 200 OK, of one side of the comparison."""

    customer: list[float] = field(default_factory=list)
    rep: list[float] = field(default_factory=list)

    def both(self) -> list[float]:
        """Return when the later of the two heard the other."""
        return list(map(max, self.customer, self.rep))


async def run() -> None:
    """Place all calls, alternating."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        folder = Path(place)
        settings = LabSettings.free(folder / "lab", phones=2)
        stranger = Behaviour(answer_after=RINGING_SECONDS, voice=tone(CUSTOMER_HZ))
        async with (
            Lab.open(settings) as lab,
            lab.phones(2, Behaviour(voice=tone(REP_HZ))) as lines,
            lab.softphone(stranger, port=settings.lab_sip_port) as customers,
            daemon_beside(lab, folder, agents=1, calls_per_second=1000.0) as daemon,
            child("bare_bridge", *_account(lab), "--endpoint", BARE, log=folder / "bare.log") as bare,
        ):
            await bare.ask(within=WAIT_SECONDS)
            await set_up(daemon)
            heard = await _alternate(daemon, bare, customers, lines)
    said.row(NAME, figures(*heard))


def figures(ours: Heard, bare: Heard) -> Row:
    """Return the row. Without a prefix: until both hear each other."""
    row: Row = {"calls": len(ours.rep)}
    mine, baseline = Spread.of(ours.both()), Spread.of(bare.both())
    for prefix, spread in (
        ("", mine),
        ("baseline_", baseline),
        ("customer_", Spread.of(ours.customer)),
        ("rep_", Spread.of(ours.rep)),
        ("baseline_customer_", Spread.of(bare.customer)),
        ("baseline_rep_", Spread.of(bare.rep)),
    ):
        row |= {f"{prefix}p50_ms": round(spread.p50, 1), f"{prefix}p95_ms": round(spread.p95, 1)}
        row[f"{prefix}max_ms"] = round(spread.most, 1)
    return row | {"later_p95_ms": round(mine.p95 - baseline.p95, 1), "ratio": ratio(mine.p95, baseline.p95)}


def _account(lab: Lab) -> tuple[str, ...]:
    pbx = lab.pbx
    account = ("--host", pbx.host, "--port", str(pbx.ami_port), "--user", pbx.user, "--secret", pbx.secret)
    return (*account, "--trunk", "lab")


async def set_up(daemon: Daemon, calls: int = CALLS) -> None:
    """Log our rep in; the campaign runs, and waits until he says that he is ready."""
    await daemon.post("campaigns", {"name": CAMPAIGN, "trunk": "lab", "grace_seconds": 2})
    agent = {"login": OURS, "name": "Rita", "endpoint": OURS, "node": "pbx", "campaigns": [CAMPAIGN]}
    await daemon.post("agents", agent)
    rows = "".join(f"Contact {n},{answering_number(n)}\n" for n in range(calls))
    await daemon.upload(CAMPAIGN, "list", f"name,phone\n{rows}".encode())
    await daemon.post(f"agents/{OURS}/login")
    await until_state(daemon, "ready")
    await daemon.post(f"agents/{OURS}/pause", {"reason": "meeting"})
    await daemon.post(f"campaigns/{CAMPAIGN}/start")


async def _alternate(
    daemon: Daemon, bare: Child, customers: Softphone, lines: list[Line]
) -> tuple[Heard, Heard]:
    ours, theirs = Heard(), Heard()
    mine, other = lines[0].call, lines[1].call
    if mine is None or other is None:
        raise TimeoutError("a rep's leg is not up")
    with said.bar() as progress:
        task = progress.add_task(NAME, total=CALLS)
        for n in range(CALLS):
            await measured(ours, customers, mine, lambda: daemon.post(f"agents/{OURS}/ready"))
            await until_state(daemon, "wrap_up")
            number = {"number": answering_number(n)}
            await measured(theirs, customers, other, lambda number=number: bare.ask(number, within=10))  # type: ignore[misc]
            progress.advance(task)
            if (n + 1) % 20 == 0:
                said.step(f"{NAME}: {n + 1} of {CALLS} calls each")
    return ours, theirs


async def measured(
    heard: Heard, customers: Softphone, rep: PhoneCall, begin: Callable[[], Awaitable[object]]
) -> None:
    """Let one call happen and note when each side heard the other."""
    before = len(customers.strangers)
    at_rep = rep.listen_for(CUSTOMER_HZ)
    await asyncio.sleep(random.uniform(0, FRAME_SECONDS))  # no fixed place between two of the phones' packets
    await begin()
    customer = await _next(customers, before)
    at_customer = customer.listen_for(REP_HZ)
    async with asyncio.timeout(WAIT_SECONDS):
        moments = await asyncio.gather(at_customer, at_rep)
    answered = customer.times.answered
    assert answered is not None
    heard.customer.append(1000 * (moments[0] - answered))
    heard.rep.append(1000 * (moments[1] - answered))
    await asyncio.sleep(TALK_SECONDS)
    await customer.hang_up()
    await asyncio.sleep(TALK_SECONDS)


async def _next(customers: Softphone, before: int) -> PhoneCall:
    end = time.monotonic() + WAIT_SECONDS
    while len(customers.strangers) == before:
        if time.monotonic() > end:
            raise TimeoutError("no call came to the customer")
        await asyncio.sleep(LOOK_SECONDS)
    return customers.strangers[-1]


async def until_state(daemon: Daemon, wanted: str) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while (await daemon.get(f"agents/{OURS}"))["state"] != wanted:
            await asyncio.sleep(0.02)
