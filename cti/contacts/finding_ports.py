"""What finding and changing contacts needs of storage."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from cti.contacts.changes import Change, Subject
from cti.model.conditions import Condition, Scope
from cti.model.contact_rows import ContactChange, ContactQuery, ContactRow, EntryRow
from cti.model.work import NewWork

Plan = Callable[[Subject], Change]
"""Says what changes of a contact; a change of nothing is left out. Pure: called within the transaction."""


ContactWorks = Callable[[int, Collection[str]], Sequence[NewWork]]
"""Says which work a contact leaves behind of whom these columns changed. Pure: called within the transaction."""


def no_contact_works(contact_id: int, columns: Collection[str]) -> Sequence[NewWork]:
    """Leave no work behind."""
    return ()


class FindingStore(Protocol):
    """Contacts found by conditions, and changed one by one. Every method is one transaction."""

    async def contacts(self, wanted: ContactQuery) -> list[ContactRow]:
        """Return the contacts of one page, in their order."""
        ...

    async def count(self, condition: Condition, scope: Scope) -> int:
        """Count the contacts, or the calls, of which the settled condition is true."""
        ...

    async def entries(self, contact_id: int) -> list[EntryRow]:
        """List where a contact stands, oldest first."""
        ...

    async def changes(self, contact_id: int, *, limit: int) -> list[ContactChange]:
        """List what people changed of a contact, newest first."""
        ...

    async def change(
        self,
        contact_id: int,
        plan: Plan,
        *,
        kind: str,
        by: str,
        at: datetime,
        works: ContactWorks = no_contact_works,
    ) -> Change:
        """Change one contact as the plan says, with a row of history and the work that it leaves behind.

        Raises NotFound, and what the plan raises.
        """
        ...

    async def tags(self) -> Sequence[tuple[str, int]]:
        """List the tags that contacts have, with how many have each, by tag."""
        ...
