"""Voice as bytes of mu-law at 8 kHz: coding, tones, hearing tones, wav files. Pure but for the files."""

import array
import math
import wave
from functools import lru_cache
from pathlib import Path
from typing import Final

RATE: Final = 8000
"""Samples a second; a byte each."""
FRAME: Final = 160
"""Samples of one packet: 20 ms."""
SILENCE: Final = b"\xff" * FRAME
AUDIBLE: Final = 400
"""Peak from which a packet counts as sound; comfort silence and dither stay far below."""
_BIAS, _CLIP = 0x84, 32_635  # ITU-T G.711


def _decoded(code: int) -> int:
    code = ~code & 0xFF
    sample = ((((code & 0x0F) << 3) + _BIAS) << ((code & 0x70) >> 4)) - _BIAS
    return -sample if code & 0x80 else sample


@lru_cache(maxsize=65_536)
def _encoded(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = max(magnitude.bit_length() - 8, 0)
    return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0F)) & 0xFF


LINEAR: Final = tuple(_decoded(code) for code in range(256))
"""mu-law byte to 16-bit sample."""
_LOUDNESS: Final = bytes(min(abs(sample) >> 7, 255) for sample in LINEAR)


def encode(samples: "array.array[int] | list[int]") -> bytes:
    """Return 16-bit samples as mu-law."""
    return bytes(map(_encoded, samples))


def decode(voice: bytes | bytearray) -> "array.array[int]":
    """Return mu-law as 16-bit samples."""
    return array.array("h", map(LINEAR.__getitem__, voice))


@lru_cache(maxsize=64)
def tone(frequency: int, *, amplitude: int = 6000) -> bytes:
    """Return one second of a tone; it joins on to itself without a click, because the frequency is whole."""
    step = 2 * math.pi * frequency / RATE
    return encode([round(amplitude * math.sin(step * n)) for n in range(RATE)])


def is_sound(frame: bytes) -> bool:
    """Say whether anything is to be heard in a packet. Cheap: no loop in Python."""
    return max(frame.translate(_LOUDNESS), default=0) >= AUDIBLE >> 7


def hears_tone(frame: bytes | bytearray, frequency: int) -> bool:
    """Say whether half of the power of a packet or more is this tone (Goertzel, 1958)."""
    samples = [LINEAR[code] for code in frame]
    energy = sum(sample * sample for sample in samples)
    if energy < len(samples) * (AUDIBLE / 2) ** 2:
        return False
    factor = 2 * math.cos(2 * math.pi * frequency / RATE)
    last = before = 0.0
    for sample in samples:
        last, before = sample + factor * last - before, last
    power = last * last + before * before - factor * last * before
    # A pure tone of n samples has power n/2 times its energy.
    return 2 * power / len(samples) >= energy / 2


def share_of_tone(voice: bytes | bytearray, frequency: int) -> float:
    """Return in which part of the packets (0 to 1) this tone is heard."""
    frames = [voice[at : at + FRAME] for at in range(0, len(voice) - FRAME + 1, FRAME)]
    return sum(hears_tone(frame, frequency) for frame in frames) / len(frames) if frames else 0.0


def read_wav(path: Path) -> bytes:
    """Return a wav file of 8 kHz, mono, 16 bits as mu-law. Other files raise ValueError."""
    with wave.open(str(path), "rb") as wav:
        if (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) != (RATE, 1, 2):
            raise ValueError(f"{path} is not 8 kHz, mono, 16 bits")
        return encode(array.array("h", wav.readframes(wav.getnframes())))


def write_wav(path: Path, voice: bytes | bytearray) -> None:
    """Write mu-law as a wav file of 16 bits."""
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(decode(voice).tobytes())
