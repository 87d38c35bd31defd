"""What bringing contacts in needs of the storage."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cti.contacts.doubles import Plan
from cti.contacts.staging import Bite
from cti.model.campaign_rules import Order
from cti.model.imports import (
    Import,
    ImportCounts,
    ImportOrder,
    Lead,
    LeadTaken,
    ReadFile,
    Refusal,
)

UNDO_BITE = 500
"""Rows that are looked at with one commit of an undoing."""


class ImportStore(Protocol):
    """Imports. Every method is one transaction; errors are `StorageError` and what is named."""

    async def add_import(self, order: ImportOrder, *, file: str, size_bytes: int, at: datetime) -> Import:
        """Note an import whose file is here. Raises NotFound (campaign), Conflict (name of the list)."""
        ...

    async def get_import(self, import_id: int) -> Import:
        """Raises NotFound."""
        ...

    async def imports(
        self, *, campaign_id: int | None = None, before_id: int | None = None, limit: int = 50
    ) -> list[Import]:
        """List imports, newest first."""
        ...

    async def unfinished(self) -> list[Import]:
        """List what has to be gone on with, oldest first."""
        ...

    async def begin_reading(self, import_id: int) -> Import:
        """Note that the file is read (again, after a crash)."""
        ...

    async def begin_writing(self, import_id: int, read: ReadFile, *, at: datetime) -> Import:
        """Make the list, and note what the file is. Raises Conflict (name of the list)."""
        ...

    async def write(self, now: Import, bite: Bite, *, order: Order, at: datetime) -> Import:
        """Write the bite that stands at `now.position`, and note it done, with one commit.

        The entries can be dialed from then on. Raises Conflict when the import has moved meanwhile.
        """
        ...

    async def look(self, now: Import, bite: Bite) -> Plan:
        """Return what writing the bite would do. Writes nothing."""
        ...

    async def finish(
        self,
        import_id: int,
        *,
        at: datetime,
        counts: ImportCounts | None = None,
        samples: Sequence[Mapping[str, object]] = (),
        read: ReadFile | None = None,
    ) -> Import:
        """Note that it is done; of a dry run also what it showed."""
        ...

    async def add_refusals(self, import_id: int, bite: Bite) -> None:
        """Store the refused rows of a dry run."""
        ...

    async def fail(self, import_id: int, error: str, *, at: datetime) -> Import:
        """Note why it failed; nothing of it was written."""
        ...

    async def begin_undo(self, import_id: int, *, by: str, at: datetime, error: str | None = None) -> Import:
        """Begin to undo an import that is done; or, with the `error`, one that fails while it is written.

        Raises NotFound, Conflict (not in this state, or a dry run).
        """
        ...

    async def undo_bite(self, import_id: int, *, at: datetime) -> Import:
        """Undo some `UNDO_BITE` rows more. In the end the state is `undone`, or `failed` when there was an error."""
        ...

    async def refusals(self, import_id: int, *, after_id: int = 0, limit: int = 100) -> list[Refusal]:
        """List refused rows in the order of the file. Raises NotFound."""
        ...


class LeadStore(Protocol):
    """Leads in real time."""

    async def add_lead(self, lead: Lead, *, order: Order, at: datetime) -> LeadTaken:
        """Add or merge the contact and give him a place before all others, with one commit. Raises NotFound."""
        ...
