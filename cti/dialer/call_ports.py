"""What the dialer needs to write of calls."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from cti.dialer.retry import done_after_one
from cti.model.calls import Call
from cti.model.contacts import Candidate
from cti.model.standing import Plan
from cti.model.work import NewWork


def no_works(before: str | None) -> Sequence[NewWork]:
    """Leave no work behind."""
    return ()


class CallStore(Protocol):
    """Attempts and calls. Every method is one transaction; errors are `StorageError`."""

    async def place(self, calls: Sequence[tuple[Call, Candidate | None]]) -> list[str]:
        """Commit each call and its attempt as `placing`, and its list entry as dialing.

        An entry that is no longer pending (another engine took it, it was removed) takes its call out. Returns the
        ids of the calls that were committed: only these may be dialed. After an error that leaves the commit in
        doubt the same calls may be placed again: those that were committed are returned once more.
        """
        ...

    async def save(
        self, calls: Sequence[Call], *, works: Sequence[NewWork] = (), plan: Plan = done_after_one
    ) -> None:
        """Write the newest facts of these calls: row, legs (`joins`), attempt, and for ended ones the list entry.

        The entry of a call that ends stands from then on as `plan` says, and once: the same end again moves nothing.
        A call whose `end_reason` is `not_sent`, or that `fails_over`, gives it back: nobody was rung, and it does not
        count as a try. An ended call in the database is never made un-ended by an older
        snapshot. `works` go in with the same commit. Saving the same again changes nothing, but makes the works due
        again.
        """
        ...

    async def open_calls(self) -> list[Call]:
        """List all calls that have not ended, oldest first."""
        ...

    async def get(self, call_id: str) -> Call | None:
        """Return one call."""
        ...

    async def set_disposition(
        self,
        call_id: str,
        *,
        agent_id: int | None,
        disposition: str,
        note: str,
        at: datetime,
        plan: Plan = done_after_one,
        works: Callable[[str | None], Sequence[NewWork]] = no_works,
    ) -> str | None:
        """Write the agent's verdict and note; again overwrites. Returns the verdict before. Raises NotFound.

        `works` is asked with the verdict before, and what it returns goes in with the same commit.

        Of a call that has ended and is its entry's last, the entry stands from then on as `plan` says, unless
        something else than a plan has decided on it since, or it is being dialed again.
        """
        ...

    async def set_record(
        self, call_id: str, crm_ref: str, *, at: datetime, works: Callable[[Call], Sequence[NewWork]]
    ) -> Call:
        """Write which record of a CRM a call belongs to; return the call. Raises NotFound.

        `works` is asked with the call as it is then, and what it returns goes in with the same commit. A snapshot from
        before that is saved later does not take it back.
        """
        ...
