"""A service with recordings to transcribe, and workers in processes beside it that can be killed.

The service runs in the test's process, with a node that is never there: transcription needs none.
"""

import asyncio
import os
import random
import signal
import sys
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speech_places import MODELS, fetched
from cti.app import App, open_app
from cti.asr.supervisor import WorkerSupervisor
from cti.clock import SystemClock
from cti.errors import CtiError
from cti.model.calls import CallState, Outcome
from cti.model.queries import RecordingFacts
from cti.model.transcription import transcribe_work
from cti.model.transcripts import Transcript
from cti.model.work import TRANSCRIBE
from cti.service import running
from cti.settings import load
from lab.ports import free_port
from tests.builders import a_call
from tests.integration.echo_worker import digest_of
from tests.waiting import until

TOKEN = "token-of-the-workers-0001"
ECHO = (sys.executable, "-m", "tests.integration.echo_worker", "--child")
LEASE_SECONDS = 3.0
MODEL = "small-en-us"


def need(there: bool, what: str) -> None:
    """Go on only with it: without, skip loudly, but fail in CI."""
    if there:
        return
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(f"NOT TESTED: {what}")
    pytest.fail(what)


def need_model(name: str = MODEL) -> Path:
    """Return the folder that has the model; it is fetched once. Where it cannot be had: skip loudly, fail in CI."""
    try:
        fetched(name)
    except CtiError as error:
        need(False, f"the model {name} cannot be had, so nothing was heard: {error}")
    return MODELS


def vosk_lines(*, workers: int, threads: int) -> str:
    """Return lines of the table `[asr]` for the English model of the tests."""
    return f'workers = {workers}\nthreads = {threads}\nfolder = "{MODELS}"\n[[asr.models]]\nname = "{MODEL}"'


def settings_text(
    folder: Path,
    *,
    database: str | None = None,
    feed: str = "auto",
    redis: str = "",
    asr: str = "",
    port: int | None = None,
) -> str:
    """Return a settings file; `asr`: more lines of that table."""
    return f"""\
[database]
url = "{database or f"sqlite:///{folder / 'waihu.db'}"}"
[[nodes]]
name = "pbx"
port = 1
secret = "none"
recordings = "{folder}"
[recording]
folder = "{folder / "recordings"}"
[imports]
folder = "{folder / "imports"}"
[api]
port = {port or free_port()}
[[api.tokens]]
name = "admin"
role = "admin"
token = "admins-token-0000001"
[[api.tokens]]
name = "workers"
role = "worker"
token = "{TOKEN}"
[redis]
url = "{redis}"
[asr]
feed = "{feed}"
lease_seconds = {LEASE_SECONDS}
pause_above_waiting = 1.0
{asr}
"""


def write_sound(path: Path, *, seed: int, seconds: float = 1.0) -> None:
    """Write a recording of two channels of noise, another one for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-3000, 3000, (round(8000 * seconds), 2)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(noise.tobytes())


@dataclass
class Workers:
    """Processes that transcribe, and are killed."""

    supervisor: WorkerSupervisor
    killed: int = 0

    async def kill_one(self) -> None:
        """Kill one with SIGKILL, as soon as one runs."""
        before = self.killed
        while self.killed == before:
            await until(lambda: self.supervisor.pids)
            with suppress(ProcessLookupError):  # it has just ended, and its end is not heard of yet
                os.kill(random.choice(self.supervisor.pids), signal.SIGKILL)
                self.killed += 1
            await asyncio.sleep(0)


@dataclass
class TranscriptionSite:
    """The service and its recordings."""

    app: App
    folder: Path
    config: Path
    calls: list[str]

    @property
    def recordings(self) -> Path:
        return self.folder / "recordings"

    async def record(self, count: int, *, first_seed: int = 0) -> list[str]:
        """Have that many calls with recordings to transcribe; return their ids."""
        made = []
        now = SystemClock().now()
        for seed in range(first_seed, first_seed + count):
            call = a_call(placed_at=now, state=CallState.PLACING)
            await asyncio.to_thread(write_sound, self.recordings / f"{call.id}.wav", seed=seed)
            await self.app.database.calls.place([(call, None)])
            ended = replace(
                call, state=CallState.ENDED, outcome=Outcome.CONNECTED, answered_at=now, ended_at=now
            )
            await self.app.database.calls.save([ended])
            await self.kept(call.id, f"{call.id}.wav")
            made.append(call.id)
        self.calls += made
        return made

    async def kept(self, call_id: str, name: str) -> None:
        """Store that a call's recording lies there, and that it is to be transcribed."""
        facts = RecordingFacts(path=name, seconds=1.0, size_bytes=1)
        await self.app.database.recordings.save_recording(
            call_id, facts, at=SystemClock().now(), works=[transcribe_work(call_id, {})]
        )

    async def done(self) -> int:
        """Return how many recordings are done."""
        return (await self.counts())[2]

    async def counts(self) -> tuple[int, int, int, int]:
        """Return how many wait, run, are done, and are dead letters."""
        for one in await self.app.database.work.counts():
            if one.kind == TRANSCRIBE:
                return one.waiting, one.leased, one.done, one.dead
        return 0, 0, 0, 0

    async def until_done(self, count: int, *, within: float) -> None:
        """Wait until that many are done or dead. Raises TimeoutError with how it stands."""
        try:
            async with asyncio.timeout(within):
                while sum((await self.counts())[2:]) < count:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"waiting, running, done, dead: {await self.counts()}") from None

    async def versions(self, call_id: str) -> Sequence[Transcript]:
        return await self.app.database.transcripts.versions(call_id)

    async def assert_each_has_one_transcript(self) -> None:
        """Each recording has one transcript, and it is of its own sound; nothing is left over, nothing is dead."""
        assert await self.counts() == (0, 0, len(self.calls), 0)
        for call_id in self.calls:
            assert len(await self.versions(call_id)) == 1, call_id
            current = await self.app.database.transcripts.current(call_id)
            assert current is not None
            path = self.recordings / f"{call_id}.wav"
            heard = sorted(segment.shown for segment in current.segments)
            assert heard == sorted(digest_of(path, channel) for channel in range(2))

    @asynccontextmanager
    async def workers(self, count: int = 2, command: Sequence[str] = ECHO) -> AsyncIterator[Workers]:
        """Run workers for as long as the block lasts; a killed one is begun again at once."""
        supervisor = WorkerSupervisor(
            command=[*command, "--config", str(self.config)],
            environ={"WAIHU_TOKEN": TOKEN},
            count=count,
            clock=SystemClock(),
            pause=lambda pause, **life: 0.05,
        )
        async with running(supervisor):
            yield Workers(supervisor)


@asynccontextmanager
async def transcription_site(folder: Path, **given: str) -> AsyncIterator[TranscriptionSite]:
    """Run a service for as long as the block lasts; `given`: see `settings_text`."""
    config = folder / "cti.toml"
    config.write_text(settings_text(folder, **given))  # type: ignore[arg-type]
    async with open_app(load(config, {}), config=config) as app:
        yield TranscriptionSite(app, folder, config, [])


async def killed_meanwhile(site: TranscriptionSite, *, recordings: int, kills: int, within: float) -> None:
    """Transcribe while workers are killed, one each time so many recordings are done."""
    await site.record(recordings)
    async with site.workers() as workers:
        for number in range(kills):
            await site.until_done(number * recordings // (kills + 1) + 1, within=within)
            await workers.kill_one()
        await site.until_done(recordings, within=within)
    assert workers.killed == kills
    await site.assert_each_has_one_transcript()
