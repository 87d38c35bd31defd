"""One pacer for each campaign that dials: made by mode, fed with signals, forgotten when the mode changes."""

import logging
from collections.abc import Callable
from typing import Final

from cti.model.contacts import Campaign, Mode
from cti.pacing.floor import Decision, Floor, Pacer, Pacing
from cti.pacing.signals import Signal

log = logging.getLogger(__name__)

MakePacer = Callable[[Campaign], Pacer]

PACED: Final = (Mode.PROGRESSIVE, Mode.PREDICTIVE)
"""Modes in which the engine itself decides when to dial."""


class Memoryless:
    """A pacing function as a `Pacer` that learns nothing."""

    def __init__(self, pacing: Pacing) -> None:
        self._pacing = pacing

    def learn(self, signal: Signal) -> None:
        """Nothing is kept."""

    def decide(self, floor: Floor) -> Decision:
        """Ask the function."""
        return self._pacing(floor)


class Pacers:
    """Pacers by campaign."""

    def __init__(self, make: MakePacer) -> None:
        self._make = make
        self._pacers: dict[int, tuple[Mode, Pacer]] = {}

    def of(self, campaign: Campaign) -> Pacer:
        """Return the campaign's pacer; a new one when its mode is another than before."""
        mode, pacer = self._pacers.get(campaign.id, (None, None))
        if pacer is None or mode is not campaign.mode:
            pacer = self._make(campaign)
            self._pacers[campaign.id] = (campaign.mode, pacer)
        return pacer

    def learn(self, campaign_id: int, signal: Signal) -> None:
        """Tell the campaign's pacer what happened. A bug in it must not stop the bus: it is logged."""
        if campaign_id in self._pacers:
            try:
                self._pacers[campaign_id][1].learn(signal)
            except Exception:
                log.exception("the pacing of campaign %d failed on %r", campaign_id, signal)
