"""Puts judging together: the part of the composition root that knows how calls are judged. Starts nothing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cti.bus import EventBus
from cti.clock import Clock
from cti.model.agents import Agent
from cti.model.judgements import RESCAN_CALLS
from cti.model.work import JUDGE_QUALITY
from cti.quality.card_desk import CardDesk
from cti.quality.judge import Judge
from cti.quality.queue_desk import QueueDesk
from cti.quality.rescans import Rescans
from cti.quality.results import Results
from cti.quality.review_desk import ReviewDesk
from cti.quality.rule_desk import RuleDesk
from cti.quality.sampler import Sampler
from cti.service import Service
from cti.settings.quality_sections import QualitySettings
from cti.storage.database import Database
from cti.web.quality_ports import Quality
from cti.work.runner import Handler


class QualityParts:
    """The parts of judging, wired. `load` first."""

    def __init__(
        self,
        *,
        database: Database,
        bus: EventBus,
        clock: Clock,
        settings: QualitySettings,
        zone: str,
        agents: Callable[[], Sequence[Agent]],
        on_work: Callable[[], None],
    ) -> None:
        stores, hold = database.quality, timedelta(minutes=settings.hold_minutes)
        self.rules = RuleDesk(store=stores.rules, transcripts=database.transcripts, clock=clock)
        self.cards = CardDesk(store=stores.cards, knows_rule=self.rules.knows, clock=clock)
        self.judge = Judge(
            store=stores.judgements,
            transcripts=database.transcripts,
            book=self.rules.book,
            bus=bus,
            clock=clock,
        )
        rescans = Rescans(
            store=stores.judgements,
            judge=self.judge,
            revision=lambda: self.rules.book().revision,
            on_work=on_work,
            clock=clock,
        )
        queue = QueueDesk(
            store=stores.queue,
            clock=clock,
            zone=ZoneInfo(zone),
            hold=hold,
            least_seconds=settings.sample_least_seconds,
            seed=settings.sample_seed,
        )
        self.desks: Final = Quality(
            rules=self.rules,
            cards=self.cards,
            judgements=stores.judgements,
            rescans=rescans,
            reviews=ReviewDesk(
                store=stores.reviews,
                queue=stores.queue,
                judgements=stores.judgements,
                cards=self.cards,
                bus=bus,
                clock=clock,
                hold=hold,
            ),
            queue=queue,
            results=Results(
                store=stores.results, agents=agents, titles=self.rules.titles, zone=ZoneInfo(zone)
            ),
        )
        """What the API is given."""
        self.handlers: Final[Mapping[str, Handler]] = {
            JUDGE_QUALITY: self.judge.handle,
            RESCAN_CALLS: rescans.carry_out,
        }
        """By kind of work."""
        self.services: Final[tuple[Service, ...]] = (Sampler(queue=queue, quota=settings.sample_per_agent),)

    async def load(self) -> None:
        """Take rules and cards from the database."""
        await self.rules.load()
        await self.cards.load()
