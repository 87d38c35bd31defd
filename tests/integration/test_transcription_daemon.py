"""`cti run` with workers of its own: real processes, real Vosk, sound that is bad in every way."""

import asyncio
import os
import signal
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.prompts import Prompt, prompts
from cti.settings import load
from cti.storage.database import open_database
from lab.daemon import ADMIN_TOKEN, Daemon
from lab.errors import NotPrepared
from lab.ports import free_port
from tests.integration.transcription_site import (
    MODEL,
    need,
    need_model,
    settings_text,
    transcription_site,
    vosk_lines,
    write_sound,
)

WITHIN_SECONDS = 150.0


@pytest.fixture(scope="module")
def spoken() -> list[Prompt]:
    """Give the longest two prompts; there is a model that hears them."""
    need_model()
    try:
        known = prompts(8000)
    except NotPrepared as missing:
        need(False, str(missing))
        raise
    return sorted(known, key=lambda prompt: prompt.seconds)[-2:]


def write_call(path: Path, left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> None:
    """Write what two people say, one after the other."""
    frames = np.zeros((len(left) + len(right) + 8000, 2), "<i2")
    frames[: len(left), 0] = left
    frames[len(left) + 4000 : len(left) + 4000 + len(right), 1] = right
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(frames.tobytes())


@asynccontextmanager
async def a_daemon(folder: Path) -> AsyncIterator[Daemon]:
    """Run the service on the settings in the folder, as an operator does."""
    config = folder / "cti.toml"
    port = load(config, {}).api.port
    daemon = Daemon(config, api_port=port, log=folder / "cti.log")
    try:
        await daemon.start(well=False)
        yield daemon
    finally:
        await daemon.close()


def settings(folder: Path, asr: str) -> None:
    text = settings_text(folder, asr=asr, port=free_port()).replace("admins-token-0000001", ADMIN_TOKEN)
    (folder / "cti.toml").write_text(text)


def children_of(pid: int) -> list[int]:
    """Return the processes that it began and that run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


async def a_child(daemon: Daemon, *, but: int = 0) -> int:
    """Return its worker's process id, as soon as there is one."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            for pid in children_of(daemon.pid):
                if pid != but:
                    return pid
            await asyncio.sleep(0.05)


async def gone(pid: int) -> None:
    """Wait until the process is."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while Path(f"/proc/{pid}/stat").exists():
            with suppress(OSError):
                if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                    return
            await asyncio.sleep(0.05)


async def test_the_service_begins_a_dead_worker_again_and_takes_it_along_when_it_ends(tmp_path: Path) -> None:
    need_model()
    settings(tmp_path, vosk_lines(workers=1, threads=1))
    async with a_daemon(tmp_path) as daemon:
        first = await a_child(daemon)
        os.kill(first, signal.SIGKILL)
        second = await a_child(daemon, but=first)
        assert (await daemon.get("transcription"))["workers_wanted"] == 1
        await daemon.stop()
        await gone(second)


async def test_a_service_that_is_killed_leaves_no_worker_behind(tmp_path: Path) -> None:
    need_model()
    settings(tmp_path, vosk_lines(workers=1, threads=1))
    async with a_daemon(tmp_path) as daemon:
        child = await a_child(daemon)
        async with asyncio.timeout(WITHIN_SECONDS):
            while not (await daemon.get("transcription"))["workers_seen"]:
                await asyncio.sleep(0.05)
        await daemon.kill()
        await gone(child)


async def test_real_speech_becomes_text_and_bad_sound_a_clear_error_and_nothing_sticks(
    tmp_path: Path, spoken: list[Prompt]
) -> None:
    left, right = spoken[0], spoken[-1]
    async with transcription_site(tmp_path) as site:
        good, cut, empty, other, mono, missing, long = await site.record(7)
        folder = site.recordings
        write_call(folder / f"{good}.wav", left.samples, right.samples)
        write_sound(folder / f"{cut}.wav", seed=1, seconds=3.0)
        whole = (folder / f"{cut}.wav").read_bytes()
        (folder / f"{cut}.wav").write_bytes(whole[: len(whole) // 2])
        (folder / f"{empty}.wav").write_bytes(b"")
        (folder / f"{other}.wav").write_bytes(b"this is a letter and no sound at all" * 100)
        with wave.open(str(folder / f"{mono}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(16_000))
        (folder / f"{missing}.wav").unlink()
        _three_hours(folder / f"{long}.wav")
    settings(tmp_path, vosk_lines(workers=1, threads=2))

    async with a_daemon(tmp_path) as daemon:
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                told = await daemon.get("transcription")
                if told["done_last_hour"] + told["dead"] == 7:
                    break
                await asyncio.sleep(0.2)
    dead = {one["call_id"]: one["error"] for one in told["dead_letters"]}
    assert (told["waiting"], told["running"], told["done_last_hour"]) == (0, 0, 3)
    assert set(dead) == {empty, other, mono, missing}
    assert "is empty" in dead[empty]
    assert "no sound file" in dead[other]
    assert "1 channel" in dead[mono]
    assert "not in its place" in dead[missing]

    async with open_database(f"sqlite:///{tmp_path / 'waihu.db'}") as database:
        heard, short, hours = [await database.transcripts.current(call) for call in (good, cut, long)]
    assert heard is not None
    assert short is not None
    assert hours is not None
    assert (heard.engine, heard.model, heard.problem) == ("vosk", MODEL, None)
    texts = {segment.speaker.value for segment in heard.segments}
    assert texts == {"customer", "agent"}
    assert short.problem is not None
    assert "cut short" in short.problem
    assert (hours.seconds, hours.segments) == (10_800.0, ())


def _three_hours(path: Path) -> None:
    """Write the head of three hours, and a hole: silence takes no room."""
    sound = 3 * 3600 * 8000 * 4
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframesraw(bytes(4))
    head = bytearray(path.read_bytes()[:44])
    head[4:8], head[40:44] = (sound + 36).to_bytes(4, "little"), sound.to_bytes(4, "little")
    path.write_bytes(bytes(head))
    os.truncate(path, 44 + sound)
