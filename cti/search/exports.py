"""A transcript as people and players want it: plain text, SubRip, WebVTT, JSON values. Pure."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from cti.model.call_record import moment
from cti.model.transcripts import Segment, Speaker, Transcript


class ExportForm(StrEnum):
    """How a transcript is wanted."""

    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VTT = "vtt"


_NAMES: Final = {Speaker.CUSTOMER: "Customer", Speaker.AGENT: "Agent"}


def as_text(transcript: Transcript) -> str:
    """Return a line for each utterance: `[01:05] Agent: good morning`."""
    return "".join(
        f"[{minutes(segment.start)}] {_NAMES[segment.speaker]}: {_one_line(segment)}\n"
        for segment in transcript.segments
    )


def as_srt(transcript: Transcript) -> str:
    """Return SubRip: a number, `hours:minutes:seconds,milliseconds`, the text, an empty line."""
    return "".join(
        f"{number}\n{_clock(segment.start, ',')} --> {_clock(segment.end, ',')}\n"
        f"{_NAMES[segment.speaker]}: {_one_line(segment).replace('-->', '->')}\n\n"
        for number, segment in enumerate(transcript.segments, 1)
    )


def as_vtt(transcript: Transcript) -> str:
    """Return WebVTT with the speaker as voice (https://www.w3.org/TR/webvtt1/)."""
    cues = (
        f"{_clock(segment.start, '.')} --> {_clock(segment.end, '.')}\n"
        f"<v {_NAMES[segment.speaker]}>{_escaped(_one_line(segment))}\n\n"
        for segment in transcript.segments
    )
    return "WEBVTT\n\n" + "".join(cues)


TEXTS: Final[Mapping[ExportForm, tuple[str, Callable[[Transcript], str]]]] = {
    ExportForm.TEXT: ("text/plain", as_text),
    ExportForm.SRT: ("application/x-subrip", as_srt),
    ExportForm.VTT: ("text/vtt", as_vtt),
}
"""Forms that are text, with their media types."""


def transcript_record(transcript: Transcript) -> dict[str, Any]:
    """Return all of a transcript as JSON values; a word is `[word, start, end, confidence]`, times are seconds."""
    return {
        **version_record(transcript),
        "segments": [
            {
                "speaker": segment.speaker.value,
                "start": segment.start,
                "end": segment.end,
                "text": segment.shown,
                "confidence": None if segment.confidence is None else round(segment.confidence, 3),
                "words": [[word.text, word.start, word.end, word.confidence] for word in segment.words],
            }
            for segment in transcript.segments
        ],
        "voices": {
            speaker.value: [[span.start, span.end] for span in spans]
            for speaker, spans in transcript.voices.items()
        },
    }


def version_record(transcript: Transcript) -> dict[str, Any]:
    """Return what is known of a version besides what was said."""
    return {
        "call_id": transcript.call_id,
        "version": transcript.version,
        "engine": transcript.engine,
        "model": transcript.model,
        "language": transcript.language,
        "seconds": transcript.seconds,
        "made_at": moment(transcript.made_at),
        "problem": transcript.problem,
    }


def minutes(seconds: float) -> str:
    """Return `mm:ss`, or `h:mm:ss` from an hour on."""
    hours, rest = divmod(int(seconds), 3600)
    clock = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{clock}" if hours else clock


def _clock(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{point}{milliseconds:03d}"


def _one_line(segment: Segment) -> str:
    return " ".join(segment.shown.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
