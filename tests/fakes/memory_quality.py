"""The stores of quality in memory: rules and cards, judgements, rescans; reviews stand beside."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cti.errors import Conflict, NotFound
from cti.model.judgements import (
    RESCAN_CALLS,
    Bite,
    Changed,
    FlaggedCall,
    JudgedCall,
    Judgement,
    JudgementFilter,
    Rescan,
    RescanState,
    changed,
    is_older,
)
from cti.model.keyword_rules import KeywordRule, RuleVersion
from cti.model.priorities import BY_SEVERITY
from cti.model.reviews import QueuePlace, QueueSource, QueueState
from cti.model.score_cards import CardVersion, ScoreCard
from cti.model.work import NewWork
from tests.fakes.memory_reviews import (
    MemoryQualityResults,
    MemoryReviewQueue,
    MemoryReviews,
    QualityRows,
    call_of,
)
from tests.fakes.memory_tables import MemoryTables


class MemoryQuality:
    """Rules and cards, judgements, reviews, their queue, results."""

    def __init__(self, tables: MemoryTables) -> None:
        self.rows = QualityRows()
        self.rules = self.cards = MemoryRulebook(tables, self.rows)
        self.judgements = MemoryJudgements(tables, self.rows)
        self.reviews = MemoryReviews(tables, self.rows)
        self.queue = MemoryReviewQueue(tables, self.rows)
        self.results = MemoryQualityResults(self.rows)


class MemoryRulebook:
    """Versions in lists."""

    def __init__(self, tables: MemoryTables, rows: QualityRows) -> None:
        self._tables = tables
        self._rows = rows

    async def rule_versions(self) -> list[RuleVersion]:
        return list(self._rows.rules)

    async def add_rule_versions(
        self, rules: Sequence[KeywordRule], *, by: str, at: datetime
    ) -> list[RuleVersion]:
        self._must_know([one for rule in rules for one in rule.campaigns])
        made = []
        for rule in rules:
            version = 1 + sum(one.rule.code == rule.code for one in self._rows.rules)
            one = RuleVersion(revision=len(self._rows.rules) + 1, version=version, rule=rule, by=by, at=at)
            self._rows.rules.append(one)
            made.append(one)
        return made

    async def card_versions(self) -> list[CardVersion]:
        return list(self._rows.cards)

    async def add_card_version(self, card: ScoreCard, *, by: str, at: datetime) -> CardVersion:
        self._must_know(card.campaigns)
        version = 1 + sum(one.card.code == card.code for one in self._rows.cards)
        made = CardVersion(id=self._tables.new_id(), version=version, card=card, by=by, at=at)
        self._rows.cards.append(made)
        return made

    def _must_know(self, campaign_ids: Sequence[int]) -> None:
        for campaign_id in sorted(campaign_ids):
            if campaign_id not in self._tables.campaigns:
                raise NotFound(f"there is no campaign {campaign_id}")


class MemoryJudgements:
    """Judgements by call."""

    def __init__(self, tables: MemoryTables, rows: QualityRows) -> None:
        self._tables = tables
        self._rows = rows

    async def call(self, call_id: str) -> JudgedCall | None:
        return call_of(self._tables, call_id)

    async def save(self, judgement: Judgement) -> Changed:
        call_id = judgement.call.call_id
        if call_id not in self._tables.calls:
            raise NotFound(f"there is no call {call_id}")
        old = self._rows.judgements.get(call_id)
        if old is not None and is_older(judgement, old):
            return Changed()
        difference = changed(judgement, old)
        await self.forget([call_id])
        self._rows.judgements[call_id] = judgement
        for one in judgement.broken:
            self._tables.call_marks[call_id, "rule", one.code] = one.count
        self._place(judgement, difference.new)
        return difference

    def _place(self, judgement: Judgement, new: Sequence[str]) -> None:
        call_id = judgement.call.call_id
        flags = [one for one in judgement.broken if one.severity in BY_SEVERITY]
        waiting = self._rows.waiting(call_id)
        if waiting is not None and waiting.source is not QueueSource.RULE:
            return
        if not flags:
            if waiting is not None and waiting.claimed_by is None:
                dropped = replace(waiting, state=QueueState.DROPPED, done_at=judgement.judged_at)
                self._rows.places[waiting.id] = dropped
            return
        reason = ", ".join(one.code for one in flags)
        priority = min(BY_SEVERITY[one.severity] for one in flags)
        if waiting is not None:
            self._rows.places[waiting.id] = replace(waiting, reason=reason, priority=priority)
        elif any(one.code in new for one in flags):
            place = QueuePlace(
                id=self._tables.new_id(),
                call=judgement.call,
                source=QueueSource.RULE,
                reason=reason,
                priority=priority,
                state=QueueState.WAITING,
                created_at=judgement.judged_at,
            )
            self._rows.places[place.id] = place

    async def judgement(self, call_id: str) -> Judgement | None:
        return self._rows.judgements.get(call_id)

    async def forget(self, call_ids: Sequence[str]) -> int:
        gone = [one for one in call_ids if self._rows.judgements.pop(one, None)]
        for key in list(self._tables.call_marks):
            if key[0] in call_ids and key[1] == "rule":
                del self._tables.call_marks[key]
        return len(gone)

    async def flagged(self, wanted: JudgementFilter) -> list[FlaggedCall]:
        found = [
            FlaggedCall(call=one.call, severity=one.severity, verdicts=one.broken, judged_at=one.judged_at)
            for call_id, one in sorted(self._rows.judgements.items(), reverse=True)
            if one.severity is not None and _is_wanted(one, wanted)
        ]
        return found[: wanted.limit]

    async def begin_rescan(
        self, *, campaign_id: int | None, since: datetime | None, revision: int, by: str, at: datetime
    ) -> Rescan:
        if any(one.state is RescanState.RUNNING for one in self._rows.rescans.values()):
            raise Conflict("a rescan runs already")
        rescan = Rescan(
            id=self._tables.new_id(),
            by=by,
            at=at,
            revision=revision,
            campaign_id=campaign_id,
            since=since,
        )
        rescan = replace(rescan, matched=len(self._scannable(rescan)))
        self._rows.rescans[rescan.id] = rescan
        work = NewWork(kind=RESCAN_CALLS, key=str(rescan.id), payload={"id": rescan.id})
        self._tables.write_works([work], at)
        return rescan

    async def rescan(self, rescan_id: int) -> Rescan:
        if rescan_id not in self._rows.rescans:
            raise NotFound(f"there is no rescan {rescan_id}")
        return self._rows.rescans[rescan_id]

    async def rescans(self, *, limit: int) -> list[Rescan]:
        return sorted(self._rows.rescans.values(), key=lambda one: -one.id)[:limit]

    async def next_calls(self, rescan: Rescan, *, limit: int) -> list[str]:
        below = rescan.position
        return [one for one in self._scannable(rescan) if below is None or one < below][:limit]

    async def bitten(self, rescan_id: int, bite: Bite) -> Rescan:
        one = await self.rescan(rescan_id)
        if one.position is None or bite.position < one.position:
            self._rows.rescans[rescan_id] = replace(
                one,
                position=bite.position,
                judged=one.judged + bite.judged,
                changed=one.changed + bite.changed,
                without_transcript=one.without_transcript + bite.without_transcript,
            )
        return self._rows.rescans[rescan_id]

    async def end_rescan(self, rescan_id: int, state: RescanState, *, at: datetime) -> Rescan:
        one = await self.rescan(rescan_id)
        if one.state is RescanState.RUNNING:
            self._rows.rescans[rescan_id] = replace(one, state=state, finished_at=at)
        return self._rows.rescans[rescan_id]

    def _scannable(self, rescan: Rescan) -> list[str]:
        calls = self._tables.calls
        found = {one.call_id for one in self._tables.transcripts.values()}
        return sorted(
            (
                one
                for one in found
                if rescan.campaign_id in (None, calls[one].campaign_id)
                and (rescan.since is None or calls[one].placed_at >= rescan.since)
            ),
            reverse=True,
        )


def _is_wanted(one: Judgement, wanted: JudgementFilter) -> bool:
    return (
        wanted.agent_id in (None, one.call.agent_id)
        and wanted.campaign_id in (None, one.call.campaign_id)
        and (wanted.rule is None or wanted.rule in {verdict.code for verdict in one.broken})
        and (wanted.since is None or one.call.placed_at >= wanted.since)
        and (wanted.until is None or one.call.placed_at < wanted.until)
        and (wanted.before_id is None or one.call.call_id < wanted.before_id)
    )
