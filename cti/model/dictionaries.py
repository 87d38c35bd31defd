"""Dictionaries (数据字典): the codes that people choose from, with labels and with what each means.

A code is kept for ever, because records hold it; its label may change at any time. A code that is out of use is
retired: old records keep it, nobody chooses it anew. A campaign's entry goes before the installation's of that code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cti.errors import BadInput
from cti.model.call_record import moment

INSTALLATION: Final = 0
"""In place of a campaign's id: the entry holds everywhere."""


class DictionaryKind(StrEnum):
    """The dictionaries there are."""

    DISPOSITIONS = "dispositions"
    PAUSE_CODES = "pause_codes"
    STAGES = "stages"
    TAGS = "tags"
    SKIP_REASONS = "skip_reasons"
    """Why an agent does not want to call a contact that he is shown."""


class Meaning(StrEnum):
    """What a disposition means to the service."""

    FINAL = "final"
    """Nobody calls this contact again in this list."""
    CALLBACK = "callback"
    """He wants to be called again."""
    DO_NOT_CALL = "do_not_call"
    """The number goes onto the do-not-call list."""
    SUCCESS = "success"
    NEEDS_NOTE = "needs_note"
    """Not without a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DictionaryEntry:
    """One code."""

    kind: DictionaryKind
    code: str
    campaign_id: int = INSTALLATION
    labels: Mapping[str, str] = field(default_factory=dict)
    """By language (`en`, `zh`)."""
    meanings: frozenset[Meaning] = frozenset()
    """Of dispositions."""
    position: int = 0
    """Smaller is shown first."""
    retired_at: datetime | None = None


Dictionary = Mapping[str, DictionaryEntry]
"""By code: the entries that hold somewhere, in the order in which they are shown. Retired ones are among them."""


def dictionary_of(
    entries: Sequence[DictionaryEntry], kind: DictionaryKind, campaign_ids: Sequence[int] = ()
) -> Dictionary:
    """Return what holds in these campaigns: the installation's entries, and theirs before those of the same code."""
    held: dict[str, DictionaryEntry] = {}
    for campaign_id in (INSTALLATION, *campaign_ids):
        held |= {one.code: one for one in entries if (one.kind, one.campaign_id) == (kind, campaign_id)}
    return {one.code: one for one in sorted(held.values(), key=lambda one: (one.position, one.code))}


def meaning_of(code: str | None, dictionary: Dictionary) -> frozenset[Meaning]:
    """Return what a code means, also when it is retired; nothing for one that the dictionary does not know."""
    entry = dictionary.get(code or "")
    return entry.meanings if entry else frozenset()


def must_be_usable(code: str, dictionary: Dictionary, *, noun: str, note: str | None = None) -> None:
    """Raise BadInput unless the code may be chosen now. An empty dictionary allows every code.

    `note`: what was written with it, where a meaning may ask for that.
    """
    if not dictionary:
        return
    entry = dictionary.get(code)
    usable = ", ".join(one.code for one in dictionary.values() if one.retired_at is None) or "(none)"
    if entry is None:
        raise BadInput(f"{noun}: there is no {code!r}; there are: {usable}")
    if entry.retired_at is not None:
        raise BadInput(f"{noun}: {code!r} is retired; there are: {usable}")
    if Meaning.NEEDS_NOTE in entry.meanings and note is not None and not note.strip():
        raise BadInput(f"note: {code!r} needs one")


def entry_record(entry: DictionaryEntry) -> dict[str, Any]:
    """Return an entry as everybody outside sees it."""
    return {
        "code": entry.code,
        "labels": dict(entry.labels),
        "meanings": sorted(entry.meanings),
        "position": entry.position,
        "retired_at": moment(entry.retired_at),
        "campaign_id": entry.campaign_id or None,
    }
