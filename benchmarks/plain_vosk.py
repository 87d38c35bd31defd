"""Vosk as its examples use it: what our pipeline is measured against.

One fresh recognizer for each channel, the stock configuration with no more than `--allow-upsample=true`, the file's
own rate, 0.25 s at a time.
"""

import json
from pathlib import Path
from typing import Any

import vosk

from cti.asr.engine import Samples


def load(folder: Path) -> Any:
    """Load a model."""
    vosk.SetLogLevel(-1)
    return vosk.Model(str(folder))


def text_of(model: Any, samples: Samples, rate: int) -> str:
    """Return what is said in one channel."""
    recognizer = vosk.KaldiRecognizer(model, rate)
    recognizer.SetWords(True)
    step = rate // 4
    parts = []
    for begin in range(0, len(samples), step):
        if recognizer.AcceptWaveform(samples[begin : begin + step].tobytes()):
            parts.append(recognizer.Result())
    parts.append(recognizer.FinalResult())
    return " ".join(json.loads(part)["text"] for part in parts).strip()
