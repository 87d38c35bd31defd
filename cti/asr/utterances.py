"""Words -> utterances with their text. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from cti.model.transcripts import Segment, Speaker, Word

PAUSE_SECONDS: Final = 0.6
"""A longer pause ends an utterance."""
LONG_SECONDS: Final = 15.0
"""An utterance so long ends at the next breath: it is one line of a page and one hit of a search."""
BREATH_SECONDS: Final = 0.2
_HAIR: Final = 1e-6
"""Seconds are floats: 1.6 - 1 is a little more than 0.6."""

_UNSPACED: Final = (
    (0x2E80, 0x303F),  # CJK radicals and punctuation
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),  # CJK extension A
    (0x4E00, 0x9FFF),  # CJK
    (0xF900, 0xFAFF),  # CJK compatibility
    (0xFF00, 0xFF65),  # full-width forms
    (0x20000, 0x3FFFF),  # CJK extensions B and on
)
"""Scripts written without spaces (Unicode blocks). Hangul is not among them."""


def utterances(words: Sequence[Word], speaker: Speaker, seconds: float) -> list[Segment]:
    """Return what was said, cut where the speaker paused; words given in order, of a recording that lasts so long."""
    return [
        Segment(speaker=speaker, words=tuple(part), text=joined_text(word.text for word in part))
        for part in _parts(list(_in_order(words, seconds)))
    ]


def joined_text(words: Iterable[str]) -> str:
    """Return the words as one writes them: a space between, but not within scripts that have none."""
    text = ""
    for word in words:
        close = not text or not word or (_unspaced(_last_letter(text)) and _unspaced(word[0]))
        text += word if close else f" {word}"
    return text


def _last_letter(text: str) -> str:
    """Return the last letter before any ASCII punctuation: Whisper writes `后,` with a comma of the other script."""
    return (text.rstrip(",.!?;:") or text)[-1]


def _unspaced(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _UNSPACED)


def _parts(words: list[Word]) -> Iterator[list[Word]]:
    part: list[Word] = []
    for word in words:
        if part:
            pause = word.start - part[-1].end
            long = part[-1].end - part[0].start >= LONG_SECONDS
            if pause > PAUSE_SECONDS + _HAIR or (long and pause >= BREATH_SECONDS - _HAIR):
                yield part
                part = []
        part.append(word)
    if part:
        yield part


def _in_order(words: Iterable[Word], seconds: float) -> Iterator[Word]:
    """Give the words with times that rise and lie within the recording; an engine's may miss by a frame."""
    last = 0.0
    for word in words:
        if not word.text:
            continue
        start = min(max(word.start, last), seconds)
        end = min(max(word.end, start), seconds)
        last = start
        yield word if (start, end) == (word.start, word.end) else replace(word, start=start, end=end)
