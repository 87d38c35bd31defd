"""The dictionaries, as they are now: read, added to, renamed, retired; and asked whether a code may be chosen."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol

from cti.clock import Clock
from cti.contacts.default_codes import DEFAULT_CODES
from cti.errors import BadInput, NotFound
from cti.model.dictionaries import (
    INSTALLATION,
    Dictionary,
    DictionaryEntry,
    DictionaryKind,
    Meaning,
    dictionary_of,
    meaning_of,
    must_be_usable,
)

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

NOUNS: Final[Mapping[DictionaryKind, str]] = {
    DictionaryKind.DISPOSITIONS: "disposition",
    DictionaryKind.PAUSE_CODES: "reason",
    DictionaryKind.STAGES: "stage",
    DictionaryKind.TAGS: "tags",
    DictionaryKind.SKIP_REASONS: "reason",
}
"""What a code is called in the body that names it."""


class DictionaryStore(Protocol):
    """Entries of dictionaries. Every method is one transaction."""

    async def dictionary_entries(self) -> list[DictionaryEntry]:
        """List all of them."""
        ...

    async def add_entries(self, entries: Sequence[DictionaryEntry], *, at: datetime) -> None:
        """Add entries. Raises Conflict when a code is there already in its campaign, NotFound (campaign)."""
        ...

    async def save_entry(self, entry: DictionaryEntry) -> None:
        """Write labels, meanings, position and retirement of an entry. Raises NotFound."""
        ...


class DictionaryDesk:
    """All dictionaries. `load` first: it is the only writer, so what it holds is what is stored."""

    def __init__(self, *, store: DictionaryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._entries: list[DictionaryEntry] = []

    async def load(self, *, defaults: Collection[DictionaryEntry] = DEFAULT_CODES) -> None:
        """Take the entries from the store; a kind of which the installation has none begins with the defaults."""
        stored = await self._store.dictionary_entries()
        known = {one.kind for one in stored if one.campaign_id == INSTALLATION}
        missing = [one for one in defaults if one.kind not in known]
        if missing:
            await self._store.add_entries(missing, at=self._clock.now())
        self._entries = stored + missing

    def dictionary(self, kind: DictionaryKind, campaign_ids: Sequence[int] = ()) -> Dictionary:
        """Return what holds in these campaigns; without any, the installation's entries."""
        return dictionary_of(self._entries, kind, campaign_ids)

    def must_be_usable(
        self, kind: DictionaryKind, code: str, campaign_ids: Sequence[int] = (), *, note: str | None = None
    ) -> None:
        """Raise BadInput, naming what is allowed, unless the code may be chosen now in these campaigns."""
        must_be_usable(code, self.dictionary(kind, campaign_ids), noun=NOUNS[kind], note=note)

    def means(self, meaning: Meaning, campaign_id: int | None, disposition: str) -> bool:
        """Return whether a disposition means this in a campaign."""
        campaigns = [] if campaign_id is None else [campaign_id]
        return meaning in meaning_of(disposition, self.dictionary(DictionaryKind.DISPOSITIONS, campaigns))

    def codes_meaning(self, meaning: Meaning, campaign_id: int) -> tuple[str, ...]:
        """Return the dispositions that mean this in a campaign, retired ones too."""
        held = self.dictionary(DictionaryKind.DISPOSITIONS, [campaign_id])
        return tuple(code for code, entry in held.items() if meaning in entry.meanings)

    async def add(self, entry: DictionaryEntry) -> DictionaryEntry:
        """Add a code. Raises BadInput, Conflict, NotFound (campaign)."""
        _must_make_sense(entry)
        await self._store.add_entries([entry], at=self._clock.now())
        self._entries.append(entry)
        return entry

    async def change(
        self,
        kind: DictionaryKind,
        code: str,
        campaign_id: int,
        *,
        labels: Mapping[str, str] | None = None,
        meanings: Collection[Meaning] | None = None,
        position: int | None = None,
        retired: bool | None = None,
    ) -> DictionaryEntry:
        """Change what is given of an entry. Raises NotFound, BadInput."""
        before = self._get(kind, code, campaign_id)
        kept = before.retired_at
        entry = replace(
            before,
            labels=before.labels if labels is None else labels,
            meanings=before.meanings if meanings is None else frozenset(meanings),
            position=before.position if position is None else position,
            retired_at=kept if retired is None else (kept or self._clock.now()) if retired else None,
        )
        _must_make_sense(entry)
        await self._store.save_entry(entry)
        self._entries[self._entries.index(before)] = entry
        return entry

    def _get(self, kind: DictionaryKind, code: str, campaign_id: int) -> DictionaryEntry:
        for one in self._entries:
            if (one.kind, one.code, one.campaign_id) == (kind, code, campaign_id):
                return one
        where = "the installation" if campaign_id == INSTALLATION else f"campaign {campaign_id}"
        raise NotFound(f"{where} has no {code!r} among its {kind}")


def _must_make_sense(entry: DictionaryEntry) -> None:
    if entry.meanings and entry.kind is not DictionaryKind.DISPOSITIONS:
        raise BadInput("meanings: only dispositions have them")
    if {Meaning.CALLBACK, Meaning.FINAL} <= entry.meanings:
        raise BadInput("meanings: callback and final exclude each other")
    for language in entry.labels:
        if not _LANGUAGE.fullmatch(language):
            raise BadInput(f"labels.{language[:20]}: is no language, for example en or zh")
