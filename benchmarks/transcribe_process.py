"""In a process of its own: recordings -> texts, by our pipeline or by plain Vosk, with the processor time they took."""

import asyncio
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import soundfile

from benchmarks import child, plain_vosk
from benchmarks.speech_places import CACHE, fetched
from cti.asr.engines import open_engine
from cti.asr.model_folder import folder_digest, overlaid
from cti.asr.pipeline import transcribe
from cti.asr.sound import open_sound
from cti.model.transcripts import CHANNELS

Texts = list[list[str]]
"""By file and channel."""


class Ours:
    """The pipeline, with a listener for each thread."""

    def __init__(self, model: str) -> None:
        self._engine = open_engine(fetched(model), cache=CACHE)
        self._listeners = [self._engine.listener()]

    def texts(self, files: Sequence[str], listener: int = 0) -> Texts:
        found = []
        for file in files:
            with open_sound(Path(file)) as sound:
                speakers = CHANNELS[: sound.channels]
                heard = transcribe(
                    sound, engine=self._engine, listener=self._listeners[listener], speakers=speakers
                )
            found.append(
                [
                    " ".join(one.shown for one in heard.segments if one.speaker is speaker)
                    for speaker in speakers
                ]
            )
        return found

    def threads_gain(self, files: Sequence[str]) -> float:
        """Return how much more two threads do in a second than one; each has heard these files before."""
        self._listeners.append(self._engine.listener())
        self.texts(files, 1)
        began = time.perf_counter()
        self.texts(files, 0)
        alone = time.perf_counter() - began
        threads = [threading.Thread(target=self.texts, args=(files, number)) for number in (0, 1)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 2 * alone / (time.perf_counter() - began)


class Plain:
    """Vosk's own examples."""

    def __init__(self, model: str) -> None:
        profile = replace(fetched(model), mfcc_conf=("--allow-upsample=true",))
        self._model = plain_vosk.load(overlaid(profile, folder_digest(profile.path), CACHE))

    def texts(self, files: Sequence[str]) -> Texts:
        found = []
        for file in files:
            samples, rate = soundfile.read(file, dtype="int16", always_2d=True)
            found.append(
                [
                    plain_vosk.text_of(self._model, samples[:, one].copy(), rate)
                    for one in range(samples.shape[1])
                ]
            )
        return found


async def _answer_all(side: str, model: str) -> None:
    hears = Ours(model) if side == "ours" else Plain(model)
    child.answer({"ready": True})
    async for question in child.questions():
        if question["do"] == "threads" and isinstance(hears, Ours):
            child.answer({"gain": hears.threads_gain(question["files"])})
        else:
            child.answer(_timed(hears, question["files"]))


def _timed(hears: Ours | Plain, files: Sequence[str]) -> dict[str, Any]:
    began = time.process_time()
    texts = hears.texts(files)
    return {"cpu": time.process_time() - began, "texts": texts, "rss_mb": child.rss_mb()}


if __name__ == "__main__":
    asyncio.run(_answer_all(sys.argv[1], sys.argv[2]))
