"""What the API needs of quality."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cti.model.judgements import FlaggedCall, Judgement, JudgementFilter
from cti.quality.card_desk import CardDesk
from cti.quality.queue_desk import QueueDesk
from cti.quality.rescans import Rescans
from cti.quality.results import Results
from cti.quality.review_desk import ReviewDesk
from cti.quality.rule_desk import RuleDesk


class Judgements(Protocol):
    """What the service thinks of calls. Raises StorageError."""

    async def judgement(self, call_id: str) -> Judgement | None:
        """Return a call's judgement."""
        ...

    async def flagged(self, wanted: JudgementFilter) -> Sequence[FlaggedCall]:
        """List calls with broken rules, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The use cases of quality."""

    rules: RuleDesk
    cards: CardDesk
    judgements: Judgements
    rescans: Rescans
    reviews: ReviewDesk
    queue: QueueDesk
    results: Results
