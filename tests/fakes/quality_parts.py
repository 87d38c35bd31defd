"""Judging over the stores in memory, as the composition root wires it."""

from collections.abc import Callable, Sequence
from typing import cast

from cti.bus import EventBus
from cti.clock import Clock
from cti.model.agents import Agent
from cti.settings.quality_sections import QualitySettings
from cti.storage.database import Database
from cti.wiring.quality import QualityParts
from tests.fakes.memory_store import MemoryStore


def quality_parts(
    store: MemoryStore | Database, bus: EventBus, clock: Clock, agents: Callable[[], Sequence[Agent]]
) -> QualityParts:
    """Build the parts; nothing is loaded, as nothing is stored yet."""
    return QualityParts(
        database=cast(Database, store),
        bus=bus,
        clock=clock,
        settings=QualitySettings(),
        zone="Europe/Berlin",
        agents=agents,
        on_work=lambda: None,
    )
