"""Recordings: what a kept one is called, in which form it lies where, what was paused, what is held. Pure."""

import re
import string
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cti.errors import BadInput


class Place(StrEnum):
    """Where a kept file lies."""

    LOCAL = "local"
    """The recordings folder."""
    S3 = "s3"


class SoundFormat(StrEnum):
    """The form of a kept file; its value is the file's suffix."""

    WAV = "wav"
    """16-bit PCM, as recorded."""
    FLAC = "flac"
    """The same samples, smaller."""
    OPUS = "opus"
    """In Ogg; much smaller, and no longer the same samples."""


CONTENT_TYPES: Final[Mapping[SoundFormat, str]] = {
    SoundFormat.WAV: "audio/wav",
    SoundFormat.FLAC: "audio/flac",
    SoundFormat.OPUS: "audio/ogg",
}
SEALED: Final = ".sealed"
"""Ends the name of an encrypted file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """What is known of a call when its recording is collected."""

    call_id: str
    placed_at: datetime
    node: str = ""
    number: str = ""
    campaign_id: int | None = None
    campaign: str = ""
    agent: str = ""
    """Login."""
    list_id: int | None = None
    contact_id: int | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A stretch of a call of which the recording holds silence."""

    began_at: datetime
    ended_at: datetime | None = None
    """None: it goes on."""
    by: str = ""
    """Who asked for it, as the API knows him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStep:
    """A legal hold was set or cleared."""

    held: bool
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionClass:
    """How long recordings of one kind are kept, and what was said in them."""

    name: str
    days: float
    transcript_days: float | None = None
    """None: transcripts go with the recordings."""

    @property
    def days_of_text(self) -> float:
        """Return how long transcripts are kept."""
        return self.days if self.transcript_days is None else self.transcript_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The outline of a recording: how loud it was, bucket by bucket, for a page that draws it."""

    bucket_ms: int
    channels: int
    levels: bytes
    """Signed 8-bit values; for each bucket and channel in turn the lowest and the highest sample, divided by 256."""

    def of_channel(self, channel: int) -> tuple[list[int], list[int]]:
        """Return the lowest and the highest values of one channel, bucket by bucket."""
        signed = memoryview(self.levels).cast("b").tolist()
        step = 2 * self.channels
        return signed[2 * channel :: step], signed[2 * channel + 1 :: step]


DEFAULT_TEMPLATE: Final = "{year}/{month}/{day}/{call_id}"
_LONGEST_FIELD: Final = 60
"""Bytes of UTF-8. Folders and files may have names of 255 (ext4, XFS), S3 keys 1024 in all."""
_LONGEST_TEMPLATE: Final = 200
_LITERAL: Final = re.compile(r"[A-Za-z0-9._/-]*")
_FIELDS: Final = (
    "call_id",
    "date",
    "year",
    "month",
    "day",
    "time",
    "campaign",
    "campaign_id",
    "agent",
    "number",
    "node",
    "list_id",
    "contact_id",
)


def template_problem(template: str) -> str | None:
    """Return what is wrong with a template of names, None when nothing is.

    Letters, digits, `.`, `_`, `-` and `/` stand for themselves, `{field}` for a value. The last part must hold
    `{call_id}`: two recordings never get one name.
    """
    if len(template) > _LONGEST_TEMPLATE:
        return f"is longer than {_LONGEST_TEMPLATE} characters"
    try:
        parts = list(_parts(template))
    except ValueError as error:
        return f"{template!r} is no template: {error}"
    for literal, field in parts:
        if not _LITERAL.fullmatch(literal):
            return f"{literal!r} may not stand in a name; letters, digits, . _ - and / may"
        if field is not None and field not in _FIELDS:
            return f"there is no field {{{field}}}; there are: {', '.join(_FIELDS)}"
    segments = template.split("/")
    if any(segment.startswith(".") or not segment for segment in segments):
        return "no part between slashes may be empty or begin with a dot"
    return None if "{call_id}" in segments[-1] else "the last part must hold {call_id}"


def kept_name(template: str, call: RecordedCall) -> str:
    """Return the name of a call's recording, without suffix; safe as a path and as an S3 key.

    Raises BadInput for a template that `template_problem` complains about.
    """
    if problem := template_problem(template):
        raise BadInput(f"the template of a recording's name: {problem}")
    values = _values(call)
    name = "".join(literal + (values[field] if field else "") for literal, field in _parts(template))
    # A template checks out, and yet a value may begin its part with a dot: an empty one before `.x`.
    return "/".join(re.sub(r"^\.+", "_", segment) for segment in name.split("/"))


def safe_word(text: str) -> str:
    """Return text from outside as part of a file's name: letters and digits of any script, `-`, `_`; else `_`."""
    plain = unicodedata.normalize("NFKC", text)
    kept = "".join(one if one.isalnum() or one in "-_" else "_" for one in plain)
    return kept.encode()[:_LONGEST_FIELD].decode(errors="ignore") or "none"


def _parts(template: str) -> Iterator[tuple[str, str | None]]:
    """Give the text before each field, and the field; raises ValueError."""
    for literal, field, form, conversion in string.Formatter().parse(template):
        if form or conversion:
            raise ValueError("a field is a name alone: {name}")
        yield literal, field


def _values(call: RecordedCall) -> dict[str, str]:
    at = call.placed_at
    return {
        "call_id": safe_word(call.call_id),
        "date": f"{at:%Y-%m-%d}",
        "year": f"{at:%Y}",
        "month": f"{at:%m}",
        "day": f"{at:%d}",
        "time": f"{at:%H%M%S}",
        "campaign": safe_word(call.campaign),
        "campaign_id": str(call.campaign_id or "none"),
        "agent": safe_word(call.agent),
        "number": safe_word(call.number.lstrip("+")),
        "node": safe_word(call.node),
        "list_id": str(call.list_id or "none"),
        "contact_id": str(call.contact_id or "none"),
    }


def file_key(name: str, form: SoundFormat, *, sealed: bool) -> str:
    """Return what the file of a recording is called where it is kept."""
    return f"{name}.{form.value}{SEALED if sealed else ''}"


def name_of_key(key: str) -> str:
    """Return the recording's name without what `file_key` added."""
    stem, dot, suffix = key.removesuffix(SEALED).rpartition(".")
    return stem if dot and suffix in set(SoundFormat) else key.removesuffix(SEALED)


def all_keys(name: str) -> tuple[str, ...]:
    """Return every key that a recording of this name may have left behind."""
    return tuple(file_key(name, form, sealed=sealed) for form in SoundFormat for sealed in (False, True))
