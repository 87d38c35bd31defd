"""What the API needs of callbacks."""

from collections.abc import Sequence
from typing import Protocol

from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackMove,
    NewCallback,
    Whereabouts,
)


class CallbackAnswer(Protocol):
    """A callback as it is now, and what is to be said of its time."""

    @property
    def callback(self) -> Callback: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...


class Callbacks(Protocol):
    """Takes orders about callbacks."""

    async def whereabouts(self, contact_id: int) -> Whereabouts:
        """Return a contact's owner and zone. Raises NotFound."""
        ...

    async def add(self, new: NewCallback) -> CallbackAnswer:
        """Raises NotFound, Conflict (one stands open, or he is stopped), BadInput (the time is past)."""
        ...

    async def change(self, callback_id: int, change: CallbackChange, *, by: str) -> CallbackAnswer:
        """Raises NotFound, Conflict (it is settled), BadInput (the time is past)."""
        ...

    async def get(self, callback_id: int) -> Callback:
        """Raises NotFound."""
        ...

    async def find(self, wanted: CallbackFilter) -> Sequence[Callback]:
        """List callbacks, the soonest first."""
        ...

    async def history(self, callback_id: int) -> Sequence[CallbackMove]:
        """List what happened to one, oldest first."""
        ...
