"""What actions on many need of storage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cti.contacts.changes import Change, Subject
from cti.model.bulk import BulkAction, BulkOrder, WhyNot
from cti.model.conditions import Condition

Judge = Callable[[Subject, Change | None], Change | WhyNot]
"""Says what is done to a contact; the second is the change that is to be taken back, when the action undoes another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What became of giving contacts to an agent."""

    given: int
    left: Mapping[str, int]
    """By the words of ownership for why not."""


class Owners(Protocol):
    """The service of ownership, as far as giving many contacts to one agent goes."""

    async def give(
        self, contact_ids: Sequence[int], *, to: str, take_over: bool, by: str, dry_run: bool
    ) -> Given:
        """Give contacts to the agent of this login under the rules; who is his already is among `left`.

        `take_over`: also contacts that belong to somebody else. Raises NotFound (login), BadInput.
        """
        ...


class BulkStore(Protocol):
    """Actions on many contacts. Every method is one transaction; errors are `StorageError` and what is named."""

    async def begin(self, order: BulkOrder, condition: Condition, *, at: datetime) -> BulkAction:
        """Note the action, and the work that carries it out; an action that makes a list makes the empty list.

        Raises Conflict: the list's name is taken; the action to be undone still runs, or was undone.
        """
        ...

    async def action(self, bulk_id: int) -> BulkAction:
        """Raises NotFound."""
        ...

    async def actions(self, *, limit: int, before: int | None = None) -> list[BulkAction]:
        """List actions, newest first; `before`: with smaller ids."""
        ...

    async def campaign_of_list(self, list_id: int) -> int | None:
        """Return which campaign a list belongs to, None when there is no such list."""
        ...

    async def look(self, contact_ids: Sequence[int]) -> list[Subject]:
        """Return these contacts as they stand, by id; those that are gone are left out."""
        ...

    async def next_ids(self, condition: Condition, *, after: int, last: int | None, limit: int) -> list[int]:
        """Return the ids of the next contacts of which the condition is true, up to `last`."""
        ...

    async def note(self, bulk_id: int, *, position: int, done: int, left: Mapping[str, int]) -> BulkAction:
        """Note a bite that another store carried out."""
        ...

    async def changed_ids(self, bulk_id: int, *, after: int, limit: int) -> list[int]:
        """Return the ids of the next contacts that an action changed."""
        ...

    async def bite(
        self, bulk_id: int, contact_ids: Sequence[int], judge: Judge, *, at: datetime
    ) -> BulkAction:
        """Judge and change these contacts, which rise, and note how far it has come, with one commit.

        Those up to `position` are done with already and are left alone, whatever happened before. No contacts: the
        action has come to its end. Raises NotFound.
        """
        ...
