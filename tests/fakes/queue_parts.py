"""What the API needs of the queue: recycling, callbacks, reasons, over the stores in memory and an open gate."""

from collections.abc import Callable, Sequence
from typing import Any

from cti.clock import Clock
from cti.dialer.callback_desk import CallbackDesk
from cti.dialer.recycler import Recycler
from cti.dialer.whys import Whys
from cti.model.agents import Agent
from tests.fakes.gate import FakeGate
from tests.fakes.memory_store import MemoryStore


def queue_parts(store: MemoryStore, clock: Clock, agents: Callable[[], Sequence[Agent]]) -> dict[str, Any]:
    """Return the fields of `Deps` that are about the queue."""
    campaigns, gate = store.tables.campaigns, FakeGate()
    return {
        "recycler": Recycler(store=store.queue, clock=clock),
        "callbacks": CallbackDesk(
            store=store.callbacks,
            reasons=store.reasons,
            gate=gate,
            campaign=campaigns.__getitem__,
            clock=clock,
        ),
        "whys": Whys(
            store=store.reasons,
            gate=gate,
            agents=agents,
            campaigns=lambda: list(campaigns.values()),
            clock=clock,
        ),
    }
