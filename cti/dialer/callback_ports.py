"""What the dialer needs of callbacks."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackMove,
    NewCallback,
    Whereabouts,
)
from cti.model.work import NewWork

CallbackWorks = Callable[[Callback], Sequence[NewWork]]


def no_callback_works(one: Callback) -> Sequence[NewWork]:
    """Leave no work behind."""
    return ()


class CallbackStore(Protocol):
    """Callbacks with their history, and the entries they move. Every method is one transaction."""

    async def whereabouts(self, contact_id: int) -> Whereabouts:
        """Return whose a contact is and in which zone. Raises NotFound."""
        ...

    async def add(
        self, new: NewCallback, *, raised: int, at: datetime, works: CallbackWorks = no_callback_works
    ) -> Callback:
        """Plan a callback: the contact's newest entry in the campaign waits for it, raised by so much.

        It waits in the lane of the agent, if it is an agent's; an entry that is being dialed waits when its call has
        ended, as the plan of `CallStore.save` says. A contact without an entry gets one. Raises NotFound (contact,
        campaign, agent), Conflict (one stands open for that entry, or the contact is stopped).
        """
        ...

    async def get(self, callback_id: int) -> Callback:
        """Raises NotFound."""
        ...

    async def find(self, wanted: CallbackFilter) -> list[Callback]:
        """List callbacks, the soonest first."""
        ...

    async def history(self, callback_id: int) -> list[CallbackMove]:
        """List what happened to one, oldest first."""
        ...

    async def change(
        self,
        callback_id: int,
        change: CallbackChange,
        *,
        by: str,
        raised: int,
        at: datetime,
        works: CallbackWorks = no_callback_works,
    ) -> Callback:
        """Change an open one, with a line of history. Raises NotFound, Conflict (it is settled).

        One that is settled lets its entry go: cancelled and never tried it is pending as before, else done.
        """
        ...

    async def remind(
        self, until: datetime, *, at: datetime, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """Note of those due until then that they were reminded of; return them, each one once.

        Here and below `works` is asked with each that moved, and what it returns goes in with the same commit.
        """
        ...

    async def fall_due(
        self, now: datetime, *, limit: int, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """Make due what is, and its entries pending; return what moved.

        An entry that somebody or a law has taken out stays out: its callback is missed.
        """
        ...

    async def unreleased(self, due_before: datetime, *, limit: int) -> list[Callback]:
        """List agents' callbacks that fell due before that moment and wait for their agents alone."""
        ...

    async def release(
        self, callback_ids: Collection[int], *, at: datetime, works: CallbackWorks = no_callback_works
    ) -> list[Callback]:
        """Let them go back into the lanes of their contacts' owners, or nobody's; return those that did."""
        ...
