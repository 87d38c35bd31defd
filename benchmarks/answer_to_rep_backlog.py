"""From the customer's 200 OK to the first voice, while recordings are transcribed and while not, in one run.

A real worker (Vosk, as many threads as cores, niced) works off a backlog of recordings. It is held and let go (SIGSTOP,
SIGCONT) every few calls, so that both sides see the same machine. The limits above which it would pause by itself are
off: this is the worst that niceness alone has to bear.
"""

import asyncio
import os
import signal
import sys
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from benchmarks import said
from benchmarks.answer_to_rep import (
    CUSTOMER_HZ,
    OURS,
    REP_HZ,
    RINGING_SECONDS,
    Heard,
    measured,
    set_up,
    until_state,
)
from benchmarks.child import ChildFailed
from benchmarks.prompts import prompts
from benchmarks.rows import Row, Spread, ratio
from benchmarks.speech_places import MODELS, fetched
from benchmarks.two_legs import call as two_legs
from cti.clock import SystemClock
from cti.errors import EngineError
from cti.model.calls import Call, CallState, Outcome
from cti.model.ids import new_call_id
from cti.model.queries import RecordingFacts
from cti.model.transcription import transcribe_work
from cti.storage.database import open_database
from lab.daemon import ADMIN_TOKEN, Daemon, daemon_beside
from lab.errors import NotPrepared
from lab.exchange import Lab
from lab.settings import LabSettings
from lab.softphone import Behaviour, Line, Softphone, tone

NAME: Final = "answer_to_rep_backlog"
BLOCKS: Final = 24
CALLS_A_BLOCK: Final = 5
SETTLE_SECONDS: Final = 1.0
"""After the worker is held or let go."""
RECORDINGS: Final = 60
SENTENCES: Final = 24
"""In each recording: about two minutes."""
MODEL: Final = "small-en-us"
CHILD_SECONDS: Final = 240.0
"""Until it has loaded the model and heard two sentences; long, because a niced process on a crowded machine waits."""


@dataclass(slots=True)
class Sides:
    """What was measured on each."""

    loaded: Heard = field(default_factory=Heard)
    idle: Heard = field(default_factory=Heard)
    loaded_seconds: float = 0.0
    """How long the worker was let go."""
    worker_cpu: float = 0.0
    transcripts: int = 0


async def run() -> None:
    """Place all calls, in blocks by turns."""
    try:
        await asyncio.to_thread(fetched, MODEL)
    except EngineError as missing:
        raise ChildFailed(str(missing)) from None
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        folder = Path(place)
        settings = LabSettings.free(folder / "lab", phones=1)
        stranger = Behaviour(answer_after=RINGING_SECONDS, voice=tone(CUSTOMER_HZ))
        async with (
            Lab.open(settings) as lab,
            lab.phones(1, Behaviour(voice=tone(REP_HZ))) as lines,
            lab.softphone(stranger, port=settings.lab_sip_port) as customers,
            daemon_beside(lab, folder, agents=1, calls_per_second=1000.0, start=False) as daemon,
        ):
            _add_models(daemon.config)
            await backlog(folder)
            await daemon.start()
            await set_up(daemon, calls=BLOCKS * CALLS_A_BLOCK)
            async with worker(daemon, folder) as process:
                sides = await _alternate(daemon, process, customers, lines)
    said.row(NAME, figures(sides))


def figures(sides: Sides) -> Row:
    """Return the row. Without a prefix: with the backlog, until both hear each other."""
    row: Row = {"calls": len(sides.loaded.rep)}
    with_it, without = Spread.of(sides.loaded.both()), Spread.of(sides.idle.both())
    for prefix, spread in (("", with_it), ("baseline_", without)):
        row |= {f"{prefix}p50_ms": round(spread.p50, 1), f"{prefix}p95_ms": round(spread.p95, 1)}
        row[f"{prefix}max_ms"] = round(spread.most, 1)
    return row | {
        "later_p95_ms": round(with_it.p95 - without.p95, 1),
        "ratio": ratio(with_it.p95, without.p95),
        "transcripts": sides.transcripts,
        "worker_cores": round(sides.worker_cpu / sides.loaded_seconds, 2),
    }


def _add_models(config: Path) -> None:
    threads = os.cpu_count() or 1
    limits = f"threads = {threads}\npause_above_waiting = 1.0\n"
    asr = f'[asr]\n{limits}folder = "{MODELS}"\n[[asr.models]]\nname = "{MODEL}"\n'
    config.write_text(f"{config.read_text()}\n{asr}")


async def backlog(folder: Path) -> None:
    """Write the recordings and their work, before the service begins."""
    recordings = folder / "recordings"
    recordings.mkdir()
    try:
        sentences = [prompt for prompt in prompts(8000) if 2 <= prompt.seconds <= 10]
    except NotPrepared as missing:
        raise ChildFailed(str(missing)) from None
    now = SystemClock().now()
    async with open_database(f"sqlite:///{folder / 'waihu.db'}") as database:
        for number in range(RECORDINGS):
            first = number == 0  # short, so that the model is known to be loaded soon
            legs = two_legs(Random(number).sample(sentences, 2 if first else SENTENCES), number)
            placed = Call(id=new_call_id(now), node="pbx", number="+4930901820", placed_at=now, trunk="lab")
            name = f"{placed.id}.wav"
            await asyncio.to_thread(_write, recordings / name, legs.channels)
            await database.calls.place([(placed, None)])
            over = replace(
                placed, state=CallState.ENDED, outcome=Outcome.CONNECTED, answered_at=now, ended_at=now
            )
            await database.calls.save([over])
            await database.recordings.save_recording(
                placed.id,
                RecordingFacts(path=name, seconds=legs.seconds),
                at=now,
                works=[transcribe_work(placed.id, {"priority": int(first)})],
            )


def _write(path: Path, channels: tuple[np.ndarray, np.ndarray]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.stack(channels, axis=1).astype("<i2").tobytes())


@asynccontextmanager
async def worker(daemon: Daemon, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker that has transcribed something: its model is loaded."""
    with (folder / "worker.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cti.asr",
            "--config",
            str(daemon.config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "WAIHU_TOKEN": ADMIN_TOKEN, "OMP_NUM_THREADS": "1"},
        )
    try:
        try:
            async with asyncio.timeout(CHILD_SECONDS):
                while await _done(daemon) == 0:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise ChildFailed((folder / "worker.log").read_text(errors="replace")[-3000:]) from None
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        await process.wait()


async def _done(daemon: Daemon) -> int:
    return int((await daemon.get("transcription"))["done_last_hour"])


async def _alternate(
    daemon: Daemon, process: asyncio.subprocess.Process, customers: Softphone, lines: list[Line]
) -> Sides:
    sides, rep = Sides(), lines[0].call
    if rep is None:
        raise TimeoutError("the rep's leg is not up")
    before = await _done(daemon)
    loop = asyncio.get_running_loop()
    with said.bar() as progress:
        task = progress.add_task(NAME, total=BLOCKS)
        for block in range(BLOCKS):
            loaded = block % 2 == 0
            process.send_signal(signal.SIGCONT if loaded else signal.SIGSTOP)
            begun, used = loop.time(), _cpu_seconds(process.pid)
            await asyncio.sleep(SETTLE_SECONDS)
            for _ in range(CALLS_A_BLOCK):
                heard = sides.loaded if loaded else sides.idle
                await measured(heard, customers, rep, lambda: daemon.post(f"agents/{OURS}/ready"))
                await until_state(daemon, "wrap_up")
            if loaded:
                sides.loaded_seconds += loop.time() - begun
                sides.worker_cpu += _cpu_seconds(process.pid) - used
            progress.advance(task)
            if (block + 1) % 6 == 0:
                said.step(f"{NAME}: {block + 1} of {BLOCKS} blocks")
    sides.transcripts = await _done(daemon) - before
    return sides


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
