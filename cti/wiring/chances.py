"""Puts answer chances together: what was learned, and what learns. Starts nothing."""

from collections.abc import Callable, Mapping

from cti.chances.learned import LearnedChances
from cti.chances.learner import ChanceLearner
from cti.clock import Clock
from cti.model.work import FIT_CHANCES
from cti.service import Service
from cti.storage.database import Database
from cti.work.runner import Handler


class ChanceRoom:
    """The parts, wired."""

    def __init__(self, *, database: Database, clock: Clock, on_work: Callable[[], None]) -> None:
        self.learned = LearnedChances(store=database.chances)
        self.learner = ChanceLearner(
            store=database.chances,
            work=database.work,
            learned=self.learned,
            campaigns=database.campaigns.campaigns,
            clock=clock,
            wake=on_work,
        )
        self.handlers: Mapping[str, Handler] = {FIT_CHANCES: self.learner.handle}
        self.services: tuple[Service, ...] = (self.learner,)
