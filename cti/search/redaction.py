"""Takes card and ID numbers out of a transcript before anybody keeps it. Pure.

A number is looked for in all that one speaker said, across words and utterances. Its words become one word, the mark of
its kind, with the time from the first to the last of them: so the sound can be muted too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from cti.model.secrets import MARKS, Secret
from cti.model.transcripts import CHANNELS, Segment, Speaker, Transcript, Word
from cti.search.secret_numbers import secrets_in
from cti.search.spoken_digits import Run, Spoken, runs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """A stretch of one channel in which a number was said, in seconds."""

    kind: Secret
    speaker: Speaker
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Hole:
    """A number, or its part, within one segment: from a letter of one word to a letter of another."""

    kind: Secret
    first_word: int
    first: int
    last_word: int
    beyond: int


def redacted(transcript: Transcript, kinds: Collection[Secret]) -> tuple[Transcript, tuple[Redacted, ...]]:
    """Return the transcript without numbers of these kinds, and where they were."""
    if not kinds:
        return transcript, ()
    holes = {place: found for place, found in _holes(transcript.segments, kinds).items() if found}
    segments, spans = list(transcript.segments), list[Redacted]()
    for place, segment in enumerate(transcript.segments):
        found = holes.get(place, [])
        spans += [_span(segment, hole) for hole in found]
        segments[place] = _without(segment, found, kinds)
    return replace(transcript, segments=tuple(segments)), tuple(spans)


def _holes(segments: Sequence[Segment], kinds: Collection[Secret]) -> dict[int, list[_Hole]]:
    holes: defaultdict[int, list[_Hole]] = defaultdict(list)
    for speaker in CHANNELS:
        for run in runs_of(_spoken(segments, speaker)):
            for kind, run_part in _secret_parts(run, kinds):
                for place, hole in _by_segment(kind, run_part):
                    holes[place].append(hole)
    return holes


def _spoken(segments: Sequence[Segment], speaker: Speaker) -> Iterator[Spoken]:
    mine = [(place, one) for place, one in enumerate(segments) if one.speaker is speaker]
    for place, segment in sorted(mine, key=lambda each: each[1].start):
        for number, word in enumerate(segment.words):
            yield Spoken(word.text, place, number, word.start, word.end)


def _secret_parts(run: Run, kinds: Collection[Secret]) -> Iterator[tuple[Secret, Run]]:
    owners = [place for place, digits in enumerate(run) for _ in digits.text]
    text = "".join(digits.text for digits in run)
    for kind, first, beyond in secrets_in(text, kinds):
        yield kind, run[owners[first] : owners[beyond - 1] + 1]


def _by_segment(kind: Secret, run: Run) -> Iterator[tuple[int, _Hole]]:
    parts: defaultdict[int, Run] = defaultdict(list)
    for digits in run:
        parts[digits.segment].append(digits)
    for place, part in parts.items():
        first, last = part[0], part[-1]
        yield place, _Hole(kind, first.word, first.first, last.word, last.beyond)


def _span(segment: Segment, hole: _Hole) -> Redacted:
    return Redacted(
        kind=hole.kind,
        speaker=segment.speaker,
        start=segment.words[hole.first_word].start,
        end=segment.words[hole.last_word].end,
    )


def _without(segment: Segment, holes: Sequence[_Hole], kinds: Collection[Secret]) -> Segment:
    words = list(segment.words)
    text = segment.text
    # from the end, so that places before stay what they are
    for hole in sorted(holes, key=lambda hole: (hole.first_word, hole.first), reverse=True):
        words[hole.first_word : hole.last_word + 1] = [_joined(words, hole)]
    if text and holes:
        text = _text_without(segment, holes)
    if text and _still_there(text, kinds):
        text = ""  # written otherwise than spoken: the words are shown instead
    return replace(segment, words=tuple(words), text=text)


def _joined(words: Sequence[Word], hole: _Hole) -> Word:
    first, last = words[hole.first_word], words[hole.last_word]
    shown = first.text[: hole.first] + MARKS[hole.kind] + last.text[hole.beyond :]
    return Word(text=shown, start=first.start, end=last.end)


def _text_without(segment: Segment, holes: Sequence[_Hole]) -> str:
    """Return the text with marks; empty when its words cannot be found in it one after the other."""
    text, places, reached = segment.text, list[int](), 0
    for word in segment.words:
        at = text.find(word.text, reached)
        if at < 0 or text[reached:at].strip().isalnum():
            return ""
        places.append(at)
        reached = at + len(word.text)
    for hole in sorted(holes, key=lambda hole: (hole.first_word, hole.first), reverse=True):
        first, beyond = places[hole.first_word] + hole.first, places[hole.last_word] + hole.beyond
        text = text[:first] + MARKS[hole.kind] + text[beyond:]
    return text


def _still_there(text: str, kinds: Collection[Secret]) -> bool:
    return any(
        secrets_in("".join(digits.text for digits in run), kinds)
        for run in runs_of([Spoken(text, 0, 0, 0.0, 0.0)])
    )
