"""`ChanceStore` in memory."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from cti.chances.ports import Past
from cti.errors import NotFound
from cti.model.answer_chances import LEARNED_FROM, Callee, ChanceFit, PastAttempt
from cti.model.calls import Call, Outcome
from tests.fakes.memory_tables import MemoryTables


class MemoryChances:
    """Reads the calls of the other twins; `fits` are its own."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()
        self.fits: list[ChanceFit] = []

    async def ended_attempts(
        self,
        campaign_id: int,
        *,
        outcome: Outcome,
        since: datetime,
        before: tuple[datetime, str] | None = None,
        limit: int,
    ) -> list[PastAttempt]:
        found = [
            one
            for one in self._past(campaign_id)
            if one.outcome is outcome
            and one.ended_at >= since
            and (before is None or (one.ended_at, one.call_id) < before)
        ]
        return sorted(found, key=lambda one: (one.ended_at, one.call_id), reverse=True)[:limit]

    async def past_of(
        self, campaign_id: int, contacts: Collection[int], numbers: Collection[int], *, since: datetime
    ) -> Past:
        wanted, asked = set(contacts), set(numbers)
        attempts = [
            one for one in self._past(campaign_id) if one.contact_id in wanted and one.ended_at >= since
        ]
        callees = {
            number_id: self._callee(contact_id)
            for contact_id, number_id in self._tables.number_ids.items()
            if number_id in asked
        }
        return Past(attempts=attempts, callees=callees)

    async def save_fit(self, fit: ChanceFit) -> int:
        if fit.campaign_id not in self._tables.campaigns:
            raise NotFound(f"there is no campaign {fit.campaign_id}")
        self.fits.append(replace(fit, id=self._tables.new_id()))
        return self.fits[-1].id

    async def newest_fit(self, campaign_id: int) -> ChanceFit | None:
        return next((fit for fit in reversed(self.fits) if fit.campaign_id == campaign_id), None)

    def _past(self, campaign_id: int) -> list[PastAttempt]:
        return [
            self._attempt(call)
            for call in self._tables.calls.values()
            if call.campaign_id == campaign_id
            and call.outcome in LEARNED_FROM
            and call.contact_id is not None
        ]

    def _attempt(self, call: Call) -> PastAttempt:
        assert call.contact_id is not None
        assert call.ended_at is not None
        assert call.outcome is not None
        callee = self._callee(call.contact_id)
        return PastAttempt(
            call.id, call.contact_id, call.placed_at, call.ended_at, call.outcome, callee.kind, callee.zone
        )

    def _callee(self, contact_id: int) -> Callee:
        """The twins store no kind, and no zone but the first number's."""
        return Callee("", self._tables.contacts[contact_id].numbers[0].zone or "")
