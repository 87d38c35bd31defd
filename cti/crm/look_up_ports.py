"""What looking numbers up in CRMs needs of storage."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.look_ups import Found, LookUp

Key = tuple[str, str]
"""A target and a number."""


class LookUpStore(Protocol):
    """Numbers that CRMs are asked for, and what they answered, until somebody fetches it. Every method is one
    transaction; errors are `StorageError`."""

    async def ask(self, keys: Sequence[Key], *, at: datetime) -> None:
        """Ask for numbers; what was asked or answered of the same ones before is forgotten."""
        ...

    async def take(self, target: str, *, since: datetime, at: datetime, limit: int) -> list[LookUp]:
        """Hand out what nobody has taken, the oldest first, each once. What was asked before `since` is left alone."""
        ...

    async def is_asked(self, target: str, *, since: datetime) -> bool:
        """Return whether there is something to be taken; costs less than to take nothing."""
        ...

    async def answer(self, target: str, number: str, found: Found, *, at: datetime) -> None:
        """Write an answer; one that nobody waits for any more is dropped."""
        ...

    async def collect(self) -> dict[Key, Found]:
        """Return all answers, and remove them with their questions."""
        ...

    async def withdraw(self, keys: Collection[Key]) -> set[Key]:
        """Remove questions with their answers; return those that nobody had taken."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Remove what was asked before then; return how many."""
        ...
