"""What compliance needs of storage: facts for the gate, do-not-call lists, consent. Errors are `StorageError`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from cti.compliance.consents import Consent, NewConsent
from cti.compliance.facts import Facts, Wanted
from cti.compliance.listings import START, After, Listing, ListingStep, NewListing, Register
from cti.model.contacts import Candidate, EntryState


class ComplianceStore(Protocol):
    """Facts for the gate."""

    async def facts(self, asked: Sequence[Candidate], wanted: Wanted) -> list[Facts]:
        """Return what is known of each candidate and his number, in their order, all of one moment.

        A contact that does not exist has no facts of his own; his number's are told all the same.
        """
        ...

    async def entries(
        self, campaign_id: int, state: EntryState, *, after: int = 0, limit: int, list_id: int | None = None
    ) -> list[Candidate]:
        """List entries of the campaign (of one of its lists) in this state, by id, from the one behind `after`."""
        ...


class DoNotCallStore(Protocol):
    """The own do-not-call list with its history, and imported registers. Each method is one transaction."""

    async def add(self, entries: Sequence[NewListing], *, by: str, at: datetime) -> int:
        """Store entries; one that is there already takes the new reason and end. Returns how many were new.

        Every one is a line of the history. Raises NotFound for an unknown campaign.
        """
        ...

    async def remove(self, key: str, campaign_id: int, *, by: str, reason: str, at: datetime) -> None:
        """Take an entry out; the history keeps it. Raises NotFound."""
        ...

    async def listings(
        self, *, beginning: str = "", campaign_id: int | None = None, after: After = START, limit: int
    ) -> list[Listing]:
        """List entries by key and campaign: those that begin so, of one campaign, from the one behind `after`."""
        ...

    async def history(self, key: str) -> list[ListingStep]:
        """List what was done to the entries of this key, oldest first."""
        ...

    async def registers(self) -> list[Register]:
        """List the registers that count, by name."""
        ...

    async def begin_register(self, *, name: str, source: str, as_of: str, by: str, at: datetime) -> int:
        """Begin to fill a register that does not count yet; returns its id."""
        ...

    async def add_to_register(self, register_id: int, keys: Sequence[str]) -> None:
        """Add some keys; those that are there already are left."""
        ...

    async def finish_register(self, register_id: int, *, refused: int) -> Register:
        """Let it count from now on, in place of the one of its name. Raises NotFound."""
        ...

    async def end_register(self, name: str) -> None:
        """Let a register count no more. Raises NotFound."""
        ...

    async def forget_registers(self, *, keep: Collection[int], at_most: int) -> int:
        """Delete so many rows of registers that do not count, except those being filled. Returns how many."""
        ...


class ConsentStore(Protocol):
    """What people said to being called."""

    async def record(self, said: Sequence[NewConsent], *, by: str, at: datetime) -> list[Consent]:
        """Write lines of the history and the contacts' present standing, which is what was said last.

        Raises NotFound for an unknown contact; then nothing is written.
        """
        ...

    async def history(self, contact_id: int) -> list[Consent]:
        """List what a contact said, oldest first."""
        ...

    async def contacts_of(self, number: str) -> list[int]:
        """List the contacts that have this E.164 number, by id."""
        ...
