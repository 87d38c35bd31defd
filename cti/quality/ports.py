"""What judging needs of the rest. Every method of a store is one transaction and may raise StorageError."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cti.model.judgements import (
    Bite,
    Changed,
    FlaggedCall,
    JudgedCall,
    JudgedTally,
    Judgement,
    JudgementFilter,
    Rescan,
    RescanState,
    RuleCount,
)
from cti.model.keyword_rules import KeywordRule, RuleVersion
from cti.model.reviews import (
    QuestionTally,
    QueuePlace,
    QueueSource,
    QueueState,
    Review,
    ReviewComment,
    ReviewStep,
    ScoredTally,
)
from cti.model.score_cards import CardVersion, ScoreCard
from cti.model.transcripts import Transcript


class Transcripts(Protocol):
    """Where transcripts come from."""

    async def current(self, call_id: str) -> Transcript | None:
        """Return the newest transcript of a call."""
        ...


class RuleStore(Protocol):
    """The rulebook: every version of every rule."""

    async def rule_versions(self) -> Sequence[RuleVersion]:
        """List all, oldest first."""
        ...

    async def add_rule_versions(
        self, rules: Sequence[KeywordRule], *, by: str, at: datetime
    ) -> Sequence[RuleVersion]:
        """Write new versions, one revision each. Raises NotFound for a campaign that is not there."""
        ...


class CardStore(Protocol):
    """Score cards: every version of every card."""

    async def card_versions(self) -> Sequence[CardVersion]:
        """List all, oldest first."""
        ...

    async def add_card_version(self, card: ScoreCard, *, by: str, at: datetime) -> CardVersion:
        """Write a new version. Raises NotFound for a campaign that is not there."""
        ...


class JudgementStore(Protocol):
    """What the service thinks of calls."""

    async def call(self, call_id: str) -> JudgedCall | None:
        """Return what judging needs to know of a call; None when there is none."""
        ...

    async def save(self, judgement: Judgement) -> Changed:
        """Write it in place of the call's last one; return what is other than before. Raises NotFound (call).

        With it, in the same transaction: marks on the call for search, and its place in the review queue. A call whose
        broken rules are new comes into the queue; one that waits there because of rules and breaks none any more
        goes out. A judgement of an older transcript or an older revision than the stored one changes nothing.
        """
        ...

    async def judgement(self, call_id: str) -> Judgement | None:
        """Return a call's judgement."""
        ...

    async def forget(self, call_ids: Sequence[str]) -> int:
        """Delete judgements with their hits and marks, as their transcripts are deleted; return how many there were."""
        ...

    async def flagged(self, wanted: JudgementFilter) -> Sequence[FlaggedCall]:
        """List calls with broken rules of any severity, newest first."""
        ...

    async def begin_rescan(
        self, *, campaign_id: int | None, since: datetime | None, revision: int, by: str, at: datetime
    ) -> Rescan:
        """Write a rescan with its work. Raises Conflict while another one runs."""
        ...

    async def rescan(self, rescan_id: int) -> Rescan:
        """Return how far it has come. Raises NotFound."""
        ...

    async def rescans(self, *, limit: int) -> Sequence[Rescan]:
        """List them, newest first."""
        ...

    async def next_calls(self, rescan: Rescan, *, limit: int) -> Sequence[str]:
        """Return the next calls with a transcript below the rescan's position, newest first."""
        ...

    async def bitten(self, rescan_id: int, bite: Bite) -> Rescan:
        """Note what a bite did. A bite that does not begin where the rescan stands is noted already: no change."""
        ...

    async def end_rescan(self, rescan_id: int, state: RescanState, *, at: datetime) -> Rescan:
        """Note that it has ended; one that had ended stays as it was. Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFilter:
    """Which reviews are wanted."""

    agent_id: int | None = None
    reviewer: str | None = None
    state: str | None = None
    call_id: str | None = None
    counted_only: bool = False
    """Without drafts, and without those that only compare reviewers."""
    before_id: int | None = None
    limit: int = 100


class ReviewStore(Protocol):
    """Reviews with their answers, comments and history."""

    async def begin(self, review: Review, *, step: ReviewStep) -> Review:
        """Write a new review; its id is given here.

        Raises Conflict when the call has been reviewed with this card, or (calibration) by this reviewer.
        """
        ...

    async def save(self, review: Review, *, edition: int, step: ReviewStep) -> Review:
        """Write state, points and answers of a review, with a line of its history.

        Submitted: the call's place in the queue is done, and the call marked with its points for search.
        Raises NotFound, Conflict when the stored one is not of this edition.
        """
        ...

    async def comment(
        self, review_id: int, *, by: str, at: datetime, seconds: float | None, text: str
    ) -> ReviewComment:
        """Add a remark. Raises NotFound."""
        ...

    async def review(self, review_id: int) -> Review:
        """Return one. Raises NotFound."""
        ...

    async def reviews(self, wanted: ReviewFilter) -> Sequence[Review]:
        """List reviews with their answers, newest first."""
        ...

    async def comments(self, review_id: int) -> Sequence[ReviewComment]:
        """List a review's remarks, oldest first."""
        ...

    async def steps(self, review_id: int) -> Sequence[ReviewStep]:
        """List a review's history, oldest first."""
        ...


class QueueStore(Protocol):
    """Calls that wait for a review."""

    async def claim(
        self, reviewer: str, *, campaign_id: int | None, until: datetime, now: datetime
    ) -> QueuePlace | None:
        """Give the reviewer the first call that nobody holds; the one he holds already, if any.

        Two reviewers never hold one call at one time. None: nothing waits.
        """
        ...

    async def release(self, place_id: int, reviewer: str) -> bool:
        """Give it back. False when he does not hold it."""
        ...

    async def extend(self, call_id: str, reviewer: str, *, until: datetime) -> bool:
        """Hold it longer. False when he does not hold it."""
        ...

    async def put(
        self, call_ids: Sequence[str], *, source: QueueSource, reason: str, priority: int, at: datetime
    ) -> int:
        """Add calls that have never been in the queue and have no review; return how many."""
        ...

    async def drop(self, place_id: int, *, at: datetime) -> bool:
        """Take a waiting call out. False when it does not wait."""
        ...

    async def places(
        self, *, state: QueueState | None, campaign_id: int | None, after: tuple[int, int] | None, limit: int
    ) -> Sequence[QueuePlace]:
        """List places as they will be given out, those after a priority and id."""
        ...

    async def drawable(
        self, *, since: datetime, until: datetime, campaign_id: int | None, least_seconds: float
    ) -> Sequence[JudgedCall]:
        """List the judged calls of a span that are long enough to be worth a review."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which calls results are about: by the time of their placing."""

    since: datetime
    until: datetime
    campaign_id: int | None = None
    agent_id: int | None = None


class ResultStore(Protocol):
    """Figures over many calls."""

    async def judged_tallies(self, asked: Asked) -> Sequence[JudgedTally]:
        """Add up judged calls, by agent."""
        ...

    async def scored_tallies(self, asked: Asked, *, by_reviewer: bool = False) -> Sequence[ScoredTally]:
        """Add up reviews that count, by agent or by reviewer."""
        ...

    async def question_tallies(self, asked: Asked) -> Sequence[QuestionTally]:
        """Add up answers of reviews that count, by card and question."""
        ...

    async def rule_counts(self, asked: Asked) -> Sequence[RuleCount]:
        """Count calls by the rules that they broke, most first."""
        ...

    async def scored_together(self, asked: Asked) -> Sequence[Review]:
        """List submitted reviews of calls that several reviewers scored with one card, by call and card."""
        ...
