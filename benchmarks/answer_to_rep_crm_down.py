"""From the customer's 200 OK to the first voice while a CRM is down and 10,000 calls wait for it, and without a CRM.

Two services, each with a database of its own, take turns on one exchange: one has no CRM; of the other the CRM's port
refuses, its process `python -m crm_sync` tries again and again, and its database is full of calls that wait. Also from
"ready" to the call at the network: pacing's decision, choosing the contact, the attempt's commit, the order.
"""

import asyncio
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks import said
from benchmarks.answer_to_rep import (
    CAMPAIGN,
    CUSTOMER_HZ,
    OURS,
    REP_HZ,
    RINGING_SECONDS,
    WAIT_SECONDS,
    Heard,
    measured,
    set_up,
    until_state,
)
from benchmarks.child import ChildFailed
from benchmarks.rows import Row, Spread, ratio
from cti.clock import SystemClock
from cti.crm.targets import CallFollowers, Target
from cti.model.calls import Call, CallState, Outcome
from cti.model.ids import new_call_id
from cti.storage.database import open_database
from lab.daemon import Daemon, daemon_beside
from lab.exchange import Lab
from lab.settings import HOST, LabSettings
from lab.softphone import Behaviour, Line, PhoneCall, Softphone, tone

NAME: Final = "answer_to_rep_crm_down"
TURNS: Final = 4
"""Of each side."""
CALLS_A_TURN: Final = 25
WAITING: Final = 10_000
TARGET: Final = "down"
BITE: Final = 500
TRIED_SECONDS: Final = 120.0
SETTLE_SECONDS: Final = 2.0
"""After a service is up and its agent logged in."""

MAPPING: Final = """
[records]
kind = "lead"
[fields]
subject = "Call to {number}"
[bottle]
"""


@dataclass(slots=True)
class Side:
    """One service, and what was measured of it."""

    daemon: Daemon
    set_up: bool = False
    heard: Heard = field(default_factory=Heard)
    dialed: list[float] = field(default_factory=list)
    """Milliseconds from "ready" to the call at the network."""


async def run() -> None:
    """Place all calls, the services by turns."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        folder = Path(place)
        settings = LabSettings.free(folder / "lab", phones=1)
        stranger = Behaviour(answer_after=RINGING_SECONDS, voice=tone(CUSTOMER_HZ))
        async with AsyncExitStack() as stack:
            lab = await stack.enter_async_context(Lab.open(settings))
            lines = await stack.enter_async_context(lab.phones(1, Behaviour(voice=tone(REP_HZ))))
            customers = await stack.enter_async_context(lab.softphone(stranger, port=settings.lab_sip_port))
            down = Side(await stack.enter_async_context(_service(lab, folder / TARGET, crm=True)))
            none = Side(await stack.enter_async_context(_service(lab, folder / "none", crm=False)))
            await _fill(folder / TARGET)
            told = await _alternate(down, none, customers, lines)
    said.row(NAME, figures(down, none, told))


def figures(down: Side, none: Side, told: dict[str, Any]) -> Row:
    """Return the row. Without a prefix: with the CRM that is down, until both hear each other."""
    row: Row = {"calls": len(down.heard.rep)}
    with_it, without = Spread.of(down.heard.both()), Spread.of(none.heard.both())
    for prefix, spread in (
        ("", with_it),
        ("baseline_", without),
        ("dialed_", Spread.of(down.dialed)),
        ("baseline_dialed_", Spread.of(none.dialed)),
    ):
        row |= {f"{prefix}p50_ms": round(spread.p50, 1), f"{prefix}p95_ms": round(spread.p95, 1)}
        row[f"{prefix}max_ms"] = round(spread.most, 1)
    return row | {
        "later_p95_ms": round(with_it.p95 - without.p95, 1),
        "ratio": ratio(with_it.p95, without.p95),
        "waiting": told["waiting"],
        "refused": told["answers"].get("away", 0),
    }


@asynccontextmanager
async def _service(lab: Lab, folder: Path, *, crm: bool) -> AsyncIterator[Daemon]:
    """Make a service, not begun."""
    folder.mkdir()
    (folder / "crm.toml").write_text(MAPPING)
    more = f"""
[[crm.targets]]
name = "{TARGET}"
adapter = "bottle"
url = "http://{HOST}:{_refusing_port()}"
secret = "x"
mapping = "{folder / "crm.toml"}"
settle_seconds = 0
"""
    async with daemon_beside(
        lab, folder, agents=1, calls_per_second=1000.0, start=False, more=more if crm else ""
    ) as daemon:
        yield daemon


def _refusing_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        port: int = one.getsockname()[1]
        return port


async def _fill(folder: Path) -> None:
    """Write the calls that wait, as if they had ended while the CRM was down."""
    follow = CallFollowers([Target(name=TARGET, settle=timedelta(0))])
    now = SystemClock().now()
    async with open_database(f"sqlite:///{folder / 'waihu.db'}") as database:
        for _ in range(WAITING // BITE):
            calls = [
                Call(
                    id=new_call_id(now),
                    node="pbx",
                    number="+4930901820",
                    placed_at=now,
                    trunk="lab",
                    crm_ref="00000000-0000-0000-0000-000000000001",
                )
                for _ in range(BITE)
            ]
            ended = [
                replace(call, state=CallState.ENDED, ended_at=now, outcome=Outcome.CONNECTED)
                for call in calls
            ]
            await database.calls.place([(call, None) for call in calls])
            await database.calls.save(ended, works=[work for call in ended for work in follow.ended(call)])


async def _alternate(down: Side, none: Side, customers: Softphone, lines: Sequence[Line]) -> dict[str, Any]:
    """Return how the CRM stood at the end of the last turn of its side."""
    told: dict[str, Any] = {}
    with said.bar() as progress:
        task = progress.add_task(NAME, total=2 * TURNS)
        for turn in range(TURNS):
            for side in (down, none):
                await side.daemon.start()
                if side is down:
                    await _until_tried(side.daemon)
                rep = await _rep(side, lines[0])
                for _ in range(CALLS_A_TURN):
                    await _call(side, customers, rep)
                if side is down:
                    (told,) = (await side.daemon.get("crm"))["targets"]
                    if told["state"] != "paused" or told["waiting"] < WAITING:
                        raise ChildFailed(f"the CRM is not down, or its calls do not wait: {told}")
                await side.daemon.post(f"campaigns/{CAMPAIGN}/pause")
                await side.daemon.post(f"agents/{OURS}/logout")
                await side.daemon.stop()
                progress.advance(task)
            said.step(f"{NAME}: {turn + 1} of {TURNS} turns each")
    return told


async def _until_tried(daemon: Daemon) -> None:
    """Return when the process that writes has found the CRM away; it takes longer to begin than the service does."""
    async with asyncio.timeout(TRIED_SECONDS):
        while (await daemon.get("crm"))["targets"][0]["state"] != "paused":
            await asyncio.sleep(0.2)


async def _rep(side: Side, line: Line) -> PhoneCall:
    """Have the agent there, not ready, and the campaign running; return his leg."""
    daemon = side.daemon
    if side.set_up:
        await daemon.post(f"agents/{OURS}/login")
        await until_state(daemon, "ready")
        await daemon.post(f"agents/{OURS}/pause", {"reason": "meeting"})
        await daemon.post(f"campaigns/{CAMPAIGN}/start")
    else:
        await set_up(daemon, calls=TURNS * CALLS_A_TURN)
        side.set_up = True
    await asyncio.sleep(SETTLE_SECONDS)
    if line.call is None:
        raise TimeoutError("the rep's leg is not up")
    return line.call


async def _call(side: Side, customers: Softphone, rep: PhoneCall) -> None:
    ready_at = 0.0

    async def ready() -> None:
        nonlocal ready_at
        ready_at = time.monotonic()
        await side.daemon.post(f"agents/{OURS}/ready")

    async with asyncio.timeout(4 * WAIT_SECONDS):
        await measured(side.heard, customers, rep, ready)
    side.dialed.append(1000 * (customers.strangers[-1].times.invited - ready_at))
    await until_state(side.daemon, "wrap_up")
