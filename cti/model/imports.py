"""Imports: what was asked, how far one has come, what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cti.model.contacts import NewContact
from cti.model.doubles import Doubles


class ImportState(StrEnum):
    """Where an import stands. Stored."""

    WAITING = "waiting"
    """The file is here; another import is at work."""
    READING = "reading"
    """The file is read and checked; nothing is written yet."""
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    """`error` says why; nothing of it is left."""
    UNDOING = "undoing"
    UNDONE = "undone"


UNFINISHED = (ImportState.WAITING, ImportState.READING, ImportState.WRITING, ImportState.UNDOING)
"""What is gone on with when the service starts."""


class FileFormat(StrEnum):
    """What sort of file."""

    AUTO = "auto"
    CSV = "csv"
    XLSX = "xlsx"


class RefusalCode(StrEnum):
    """Why a row was not taken. Stored."""

    BAD_ROW = "bad_row"
    """The line cannot be read, or has too many columns."""
    BAD_TEXT = "bad_text"
    """Something in it is too long or holds a control character."""
    BAD_VALUE = "bad_value"
    """A zone, score, priority, consent or time that is none."""
    NO_NUMBER = "no_number"
    BAD_NUMBER = "bad_number"
    NO_REGION = "no_region"
    """A number without country code, and the list has no region."""
    DOUBLE_IN_FILE = "double_in_file"
    ALREADY_KNOWN = "already_known"
    """The contact stands already where doubles are looked for."""
    NO_VALUE = "no_value"
    """A formula without its result, or a spreadsheet's error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What was asked for."""

    campaign_id: int
    name: str
    """Of the list that is to be made."""
    source: str = "upload"
    """The file's name, told only."""
    region: str = ""
    """Country (ISO 3166, two letters) of numbers written without one."""
    priority: int = 0
    format: FileFormat = FileFormat.AUTO
    encoding: str = ""
    """Empty: found out."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Header -> meaning, for columns whose own name does not say it."""
    doubles: Doubles = field(default_factory=Doubles)
    dry_run: bool = False
    by: str = ""
    """Who asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """What reading the file has shown."""

    encoding: str
    """As it was decoded; `xlsx` for a spreadsheet."""
    columns: Mapping[str, str]
    """Header -> meaning, as understood; what has none is told as `field:HEADER`."""
    rows: int
    """That can be taken, as far as the file tells."""
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HowFar:
    """How far the reading has come."""

    bytes: int
    """Of the file; 0 where that cannot be told (a workbook)."""
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """What became of the rows."""

    added: int = 0
    """New contacts."""
    merged: int = 0
    replaced: int = 0
    joined: int = 0
    """Of the merged and the replaced, those who got a place in the list; the others wait in the campaign already."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """By `RefusalCode`."""

    @property
    def taken(self) -> int:
        """Rows that were taken."""
        return self.added + self.merged + self.replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoCounts:
    """What became of the undoing of an import."""

    entries_removed: int = 0
    entries_kept: int = 0
    """Dialed meanwhile, or spoken of elsewhere."""
    contacts_removed: int = 0
    contacts_kept: int = 0
    """Called, listed or spoken of elsewhere meanwhile."""
    restored: int = 0
    """Put back as they were before they were merged or replaced."""
    left: int = 0
    """Not put back: somebody changed them meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import."""

    id: int
    order: ImportOrder
    file: str
    """Name of its file in the folder of imports, chosen by us."""
    size_bytes: int
    state: ImportState
    created_at: datetime
    finished_at: datetime | None = None
    list_id: int | None = None
    read: ReadFile | None = None
    position: int = 0
    """How far the writing (or the undoing) has come; a mark that only the store and the staged file understand."""
    rows_done: int = 0
    """Rows written so far, of `read.rows`."""
    counts: ImportCounts = field(default_factory=ImportCounts)
    samples: Sequence[Mapping[str, object]] = ()
    """The first contacts of a dry run."""
    error: str | None = None
    undone_at: datetime | None = None
    undone_by: str | None = None
    undo: UndoCounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRow:
    """A row of a file that was read and checked."""

    line: int
    contact: NewContact
    first_line: int | None = None
    """The line of the same file that has this contact already; only where doubles are merged or replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A row that was not taken, as it is stored."""

    id: int
    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A contact that wants to be dialed now."""

    campaign_id: int
    contact: NewContact
    priority: int
    doubles: Doubles
    key: str | None = None
    """The same key again is the same lead: nothing is done a second time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTaken:
    """What became of a lead."""

    contact_id: int
    entry_id: int
    state: str
    """The entry's state now: `pending`, or `dialing` when he is being called already."""
    known: bool
    """The contact was there before."""
    again: bool = False
    """The key had come before."""
