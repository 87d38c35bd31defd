"""What writing follow-ups into CRMs needs of storage."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.follow_ups import FollowLink, FollowUp


class FollowUpStore(Protocol):
    """Callbacks as CRMs are told of them. Every method is one transaction."""

    async def facts(self, callback_ids: Sequence[int]) -> Mapping[int, FollowUp]:
        """Return the present facts of these callbacks."""
        ...

    async def links(self, target: str, callback_ids: Sequence[int]) -> Mapping[int, FollowLink]:
        """Return what is remembered of them at a target."""
        ...

    async def put(self, link: FollowLink) -> None:
        """Write what is remembered of one."""
        ...

    async def behind(self, target: str, *, limit: int) -> list[int]:
        """List callbacks that stand there otherwise than here: settled, moved, or another agent's meanwhile.

        Not those whose work waits, is under way, or is a dead letter, nor those that somebody gave up since.
        """
        ...

    async def written(self, target: str, contact_id: int) -> list[datetime]:
        """List the times for which callbacks of a contact were written there."""
        ...
