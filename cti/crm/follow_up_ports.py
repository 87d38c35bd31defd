"""What writing follow-ups into CRMs needs of storage."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.follow_ups import FollowLink, FollowUp


class FollowUpStore(Protocol):
    """Follow-ups as CRMs are told of them, by key (`cti.model.follow_ups.key_of`). Every method is one transaction."""

    async def facts(self, keys: Sequence[str]) -> Mapping[str, FollowUp]:
        """Return the present facts; of callbacks and contacts that are gone nothing."""
        ...

    async def links(self, target: str, keys: Sequence[str]) -> Mapping[str, FollowLink]:
        """Return what is remembered of them at a target."""
        ...

    async def put(self, link: FollowLink) -> None:
        """Write what is remembered of one."""
        ...

    async def behind(self, target: str, *, limit: int) -> list[str]:
        """List what stands there otherwise than here: settled, moved, or another agent's meanwhile.

        At most so many callbacks, and so many of contacts. Not those whose work waits, is under way, or is a dead
        letter, nor those that somebody gave up since.
        """
        ...

    async def written(self, target: str, contact_id: int) -> list[datetime]:
        """List the times for which follow-ups of a contact were written there."""
        ...

    async def moved_there(
        self, target: str, contact_id: int, *, at: datetime, by: str, now: datetime
    ) -> bool:
        """Move a contact's own follow-up to where the CRM has put it, with a row of his history.

        False, and nothing is written, when none of his stands there.
        """
        ...
