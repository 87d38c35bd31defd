"""The service of ownership, as far as actions on many need it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cti.contacts.bulk_ports import Given


class FakeOwners:
    """Remembers what it was asked; refuses whom it was told to."""

    def __init__(self, store: Any, *, refuses: Mapping[int, str] | None = None) -> None:
        self._refuses = refuses or {}
        self.given: list[tuple[str, list[int], bool]] = []
        """Login, contacts, whether it was a dry run."""

    async def give(
        self, contact_ids: Sequence[int], *, to: str, take_over: bool, by: str, dry_run: bool
    ) -> Given:
        self.given.append((to, list(contact_ids), dry_run))
        left = Counter(self._refuses[one] for one in contact_ids if one in self._refuses)
        return Given(given=len(contact_ids) - left.total(), left=dict(left))
