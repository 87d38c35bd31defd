"""`LedgerStore` and `DecisionStore` in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cti.model.decisions import PacingDecision
from cti.model.ledger import Tally
from tests.fakes.memory_tables import MemoryTables

COUNTED = ("connected", "dropped", "gone_early", "machine")


class MemoryLedger:
    """Counts the attempts of the shared rows."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def tallies(
        self,
        campaign_id: int,
        spans: Sequence[tuple[datetime | None, datetime]],
        *,
        until: datetime,
    ) -> list[Tally]:
        return [self._tally(campaign_id, begins, min(ends, until)) for begins, ends in spans]

    def _tally(self, campaign_id: int, begins: datetime | None, ends: datetime) -> Tally:
        total = Tally()
        for one in self._tables.attempts.values():
            if one.campaign_id != campaign_id or one.outcome is None or one.ended_at is None:
                continue
            if one.outcome in COUNTED and (begins is None or one.ended_at >= begins) and one.ended_at < ends:
                total += Tally(**{one.outcome.value: 1})
        return total


class MemoryDecisions:
    """Decisions in a list."""

    def __init__(self) -> None:
        self.rows: list[PacingDecision] = []

    async def add(self, decisions: Sequence[PacingDecision]) -> None:
        self.rows.extend(decisions)

    async def decisions(
        self,
        campaign_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[PacingDecision]:
        found = [
            (one.at, row, one)
            for row, one in enumerate(self.rows)
            if one.campaign_id == campaign_id
            and (since is None or one.at >= since)
            and (until is None or one.at < until)
        ]
        return [one for _, _, one in sorted(found, key=lambda row: row[:2], reverse=True)[:limit]]

    async def thin(
        self, *, since: datetime | None, until: datetime, keep_one_per: timedelta, limit: int
    ) -> datetime | None:
        span = [one for one in self.rows if one.at < until and (since is None or one.at >= since)]
        looked_at = sorted(span, key=lambda one: one.at)[:limit]
        kept: set[tuple[int, int]] = set()
        for one in looked_at:
            piece = (one.campaign_id, int(one.at.timestamp() // keep_one_per.total_seconds()))
            if piece in kept:
                self.rows.remove(one)
            kept.add(piece)
        return looked_at[-1].at if len(looked_at) == limit else None

    async def forget(self, *, older_than: datetime, limit: int) -> int:
        old = sorted((one for one in self.rows if one.at < older_than), key=lambda one: one.at)[:limit]
        for one in old:
            self.rows.remove(one)
        return len(old)
