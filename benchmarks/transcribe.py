"""Processor time and error rate of transcription, beside plain Vosk on the same recordings in the same run.

Plain: one fresh recognizer for each channel, the stock configuration with no more than `--allow-upsample=true`. Ours:
the pipeline with one listener that is kept, as a worker keeps it: in each row it hears three sets of recordings, all
different, and the figures are the medians. So the first set, in which the recognizer is new, is seldom the median,
and nothing is heard twice. `cold_cpu_ratio` is that first set's. Each side is a process of its own.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import soundfile

from benchmarks import said
from benchmarks.child import Child, child
from benchmarks.prompts import Prompt, prompts
from benchmarks.rows import Row, ratio
from benchmarks.speech_places import speech_folder
from benchmarks.two_legs import call, leveled
from cti.asr.engine import Samples
from cti.asr.labelled import labelled
from cti.asr.measuring import spoken
from cti.asr.scoring import Score, score, total
from cti.asr.telephone import telephone

NAME = "transcribe"
SETS = 3
CALLS = 2
"""In a set."""
CALL_SPEECH_SECONDS = 70.0
CLIPS = 34
"""In a set: about a hundred in all."""
CLIP_SECONDS = (1.5, 5.5)
WITHIN_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """Files of one row and what is said in them."""

    lang: str
    rate: int
    shape: str
    model: str
    sets: tuple[tuple["Recorded", ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One file."""

    path: str
    texts: tuple[str, ...]
    """By channel."""
    seconds: float
    """Of all channels together."""
    spoken: float
    """Of these, with speech."""


async def run() -> None:
    """Measure English at both rates, calls and clips, and Korean where its speech is there."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        folder = Path(place)
        for first, second in (
            (english_calls(folder, 16000), english_calls(folder, 8000)),
            (english_clips(folder, 16000), english_clips(folder, 8000)),
            (korean(folder, 16000), korean(folder, 8000)),
        ):
            pair = [one for one in (first, second) if one]
            found = await asyncio.gather(
                *(_measured(one, folder / f"{one.lang}{one.rate}{one.shape}") for one in pair)
            )
            for recordings, row in zip(pair, found, strict=True):
                if (
                    recordings.shape == "calls" and recordings.lang == "en"
                ):  # both cores are needed: one by one
                    row["threads_gain"] = await _threads_gain(recordings, folder / "threads")
                said.row(NAME, row)


def english_calls(folder: Path, rate: int) -> Recordings:
    """Make calls of Asterisk's prompts; no prompt is in two calls."""
    waiting = _shuffled(prompts(rate))
    sets: list[tuple[Recorded, ...]] = []
    for number in range(SETS):
        made: list[Recorded] = []
        for _ in range(CALLS):
            sentences: list[Prompt] = []
            while sum(one.seconds for one in sentences) < CALL_SPEECH_SECONDS:
                sentences.append(waiting.pop())
            two = call(sentences, seed=len(sets) * CALLS + len(made))
            path = folder / f"call-{rate}-{number}-{len(made)}.wav"
            _write(path, list(two.channels), rate)
            made.append(
                Recorded(
                    path=str(path),
                    texts=(two.text(0), two.text(1)),
                    seconds=2 * two.seconds,
                    spoken=two.seconds * (two.occupancy(0) + two.occupancy(1)),
                )
            )
        sets.append(tuple(made))
    return Recordings(lang="en", rate=rate, shape="calls", model="small-en-us", sets=tuple(sets))


def english_clips(folder: Path, rate: int) -> Recordings:
    """Make one file of each prompt of some seconds."""
    least, most = CLIP_SECONDS
    fitting = _shuffled([one for one in prompts(rate) if least <= one.seconds <= most])
    sets: list[tuple[Recorded, ...]] = []
    for number in range(SETS):
        made: list[Recorded] = []
        for prompt in fitting[number * CLIPS : (number + 1) * CLIPS]:
            path = folder / f"clip-{rate}-{prompt.name}.wav"
            _write(path, [leveled(prompt.samples).clip(-32768, 32767).astype(np.int16)], rate)
            made.append(
                Recorded(path=str(path), texts=(prompt.text,), seconds=prompt.seconds, spoken=prompt.seconds)
            )
        sets.append(tuple(made))
    return Recordings(lang="en", rate=rate, shape="clips", model="small-en-us", sets=tuple(sets))


def korean(folder: Path, rate: int) -> Recordings | None:
    """Make one call of the Korean speech there is, one side silent; the same one in each set."""
    place = speech_folder()
    if place is None:
        said.step(f"{NAME}: no Korean rows: there is no speech (WAIHU_SPEECH names its folder)")
        return None
    speech = spoken(one for one in labelled(place) if one.language == "ko")
    sides: Samples = np.concatenate([one.samples for one in speech])
    quiet = np.random.default_rng(1).normal(0.0, 15.0, len(sides)).astype(np.int16)
    path = folder / f"korean-{rate}.wav"
    _write(path, [sides, quiet], 16000, rate)
    one = Recorded(
        path=str(path),
        texts=(" ".join(one.text for one in speech), ""),
        seconds=2 * len(sides) / 16000,
        spoken=len(sides) / 16000,
    )
    return Recordings(lang="ko", rate=rate, shape="calls", model="small-ko", sets=((one,),) * SETS)


def _shuffled(found: list[Prompt]) -> list[Prompt]:
    Random(7).shuffle(found)
    return found


def _write(path: Path, channels: list[Samples], rate: int, wanted: int | None = None) -> None:
    """Write a WAV file; what is to have 8 kHz goes through a telephone line."""
    wanted = wanted or rate
    if wanted == 8000:
        channels = [telephone(one, rate) for one in channels]
    soundfile.write(path, np.stack(channels, axis=1), wanted, subtype="PCM_16")


async def _measured(recordings: Recordings, log: Path) -> Row:
    """Have each set heard by one side and then by the other."""
    answers: dict[str, list[dict[str, Any]]] = {"ours": [], "plain": []}
    async with (
        child("transcribe_process", "ours", recordings.model, log=log.with_suffix(".ours")) as ours,
        child("transcribe_process", "plain", recordings.model, log=log.with_suffix(".plain")) as plain,
    ):
        sides = {"ours": ours, "plain": plain}
        for side in sides.values():
            await side.ask(within=WITHIN_SECONDS)
        for number, one in enumerate(recordings.sets, start=1):
            for name, side in sides.items():
                answers[name].append(await _heard(side, one))
            said.step(
                f"{NAME}: {recordings.lang} {recordings.rate} {recordings.shape}: set {number} of {SETS}"
            )
    return _row(recordings, answers["ours"], answers["plain"])


async def _heard(side: Child, files: Sequence[Recorded]) -> dict[str, Any]:
    return await side.ask({"do": "texts", "files": [one.path for one in files]}, within=WITHIN_SECONDS)


async def _threads_gain(recordings: Recordings, log: Path) -> float:
    files = [one.path for one in recordings.sets[0]]
    async with child("transcribe_process", "ours", recordings.model, log=log) as ours:
        await ours.ask(within=WITHIN_SECONDS)
        await ours.ask({"do": "texts", "files": files}, within=WITHIN_SECONDS)
        answer = await ours.ask({"do": "threads", "files": files}, within=WITHIN_SECONDS)
    return round(float(answer["gain"]), 2)


def _row(recordings: Recordings, ours: list[dict[str, Any]], plain: list[dict[str, Any]]) -> Row:
    ratios = [mine["cpu"] / its["cpu"] for mine, its in zip(ours, plain, strict=True)]
    seconds = sum(one.seconds for made in recordings.sets for one in made)
    speech = sum(one.spoken for made in recordings.sets for one in made)
    mine, its = _error(recordings, ours), _error(recordings, plain)
    return {
        "lang": recordings.lang,
        "rate_hz": recordings.rate,
        "shape": recordings.shape,
        "cpu_ratio": round(statistics.median(ratios), 3),
        "cold_cpu_ratio": round(ratios[0], 3),
        "cpu_per_s": ratio(sum(one["cpu"] for one in ours), seconds),
        "plain_cpu_per_s": ratio(sum(one["cpu"] for one in plain), seconds),
        "error": round(100 * mine.rate, 1),
        "plain_error": round(100 * its.rate, 1),
        "error_delta": round(100 * (mine.rate - its.rate), 1),
        "threads_gain": None,
        "rss_mb": round(max(one["rss_mb"] for one in ours)),
        "plain_rss_mb": round(max(one["rss_mb"] for one in plain)),
        "speech_share": round(speech / seconds, 2),
        "seconds": round(seconds),
    }


def _error(recordings: Recordings, answers: list[dict[str, Any]]) -> Score:
    return total(
        score(truth, text, recordings.lang)
        for made, answer in zip(recordings.sets, answers, strict=True)
        for one, texts in zip(made, answer["texts"], strict=True)
        for truth, text in zip(one.texts, texts, strict=True)
    )
