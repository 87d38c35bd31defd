"""What people do with calls: look at those that are up, say how one went."""

from collections.abc import Sequence
from datetime import datetime

from cti.bus import EventBus
from cti.dialer.ports import CallStore, OpenCalls
from cti.model.calls import Call
from cti.model.events import DispositionSet


class CallDesk:
    """Calls as people see them."""

    def __init__(self, *, store: CallStore, open_calls: OpenCalls, bus: EventBus) -> None:
        self._store = store
        self._open = open_calls
        self._bus = bus

    def open_calls(self) -> Sequence[Call]:
        """List the calls that have not ended, oldest first."""
        return self._open.open_calls()

    async def set_disposition(
        self, call_id: str, *, agent_id: int | None, disposition: str, note: str, at: datetime
    ) -> None:
        """Store the agent's verdict and tell it. Raises NotFound."""
        await self._store.set_disposition(
            call_id, agent_id=agent_id, disposition=disposition, note=note, at=at
        )
        self._bus.publish(
            DispositionSet(call_id=call_id, agent_id=agent_id, disposition=disposition, note=note, at=at)
        )
