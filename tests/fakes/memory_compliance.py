"""`ComplianceStore` in memory."""

from collections.abc import Sequence
from datetime import datetime

from cti.compliance.facts import Facts, Listed, Wanted
from cti.compliance.listings import EVERY_CAMPAIGN, RegisterState, keys_of
from cti.model.calls import Call, EndReason, Outcome
from cti.model.contacts import Candidate, EntryState
from tests.fakes.memory_consents import standing_of
from tests.fakes.memory_tables import MemoryTables


class MemoryCompliance:
    """Reads the dictionaries of the other twins."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def facts(self, asked: Sequence[Candidate], wanted: Wanted) -> list[Facts]:
        return [self._facts(candidate, wanted) for candidate in asked]

    async def entries(
        self, campaign_id: int, state: EntryState, *, after: int = 0, limit: int, list_id: int | None = None
    ) -> list[Candidate]:
        found = [
            self._tables.candidate(entry)
            for _, entry in sorted(self._tables.entries.items())
            if (entry.campaign_id, entry.state) == (campaign_id, state)
            and entry.id > after
            and list_id in (None, entry.list_id)
        ]
        return found[:limit]

    def _facts(self, candidate: Candidate, wanted: Wanted) -> Facts:
        attempts = [call for call in self._tables.calls.values() if call.end_reason is not EndReason.NOT_SENT]
        at_number = self._since(wanted.numbers_since, attempts, number=candidate.number)
        at_contact = self._since(wanted.contacts_since, attempts, contact_id=candidate.contact_id)
        ours = [
            call
            for call in attempts
            if (call.contact_id, call.campaign_id) == (candidate.contact_id, wanted.campaign_id)
        ]
        drops = [call.ended_at or call.placed_at for call in at_number if call.outcome is Outcome.DROPPED]
        return Facts(
            zone=self._tables.contact_zones.get(candidate.contact_id, ""),
            consent=standing_of(self._tables, candidate.contact_id),
            stopped_at=self._tables.stopped.get(candidate.contact_id),
            listed=tuple(self._listed(candidate.number, wanted)),
            number_attempts=tuple(call.placed_at for call in at_number),
            last_drop_at=max(drops, default=None),
            contact_attempts=tuple(call.placed_at for call in at_contact),
            attempts_total=len(ours) if wanted.totals else 0,
        )

    def _since(self, since: datetime | None, attempts: list[Call], **wanted: object) -> list[Call]:
        if since is None:
            return []
        [(name, value)] = wanted.items()
        found = [call for call in attempts if getattr(call, name) == value and call.placed_at > since]
        return sorted(found, key=lambda call: call.placed_at, reverse=True)

    def _listed(self, number: str, wanted: Wanted) -> list[Listed]:
        found: list[Listed] = []
        for key in keys_of(number):
            own = [
                entry
                for entry in self._tables.listings.values()
                if entry.key == key and entry.campaign_id in (EVERY_CAMPAIGN, wanted.campaign_id)
            ]
            for entry in sorted(own, key=lambda one: one.id):
                if entry.until is None or entry.until > wanted.now:
                    its = entry.campaign_id != EVERY_CAMPAIGN
                    where = "do-not-call list of this campaign" if its else "do-not-call list"
                    found.append(Listed(key=key, where=where, reason=entry.reason, until=entry.until))
            for register in sorted(self._tables.registers.values(), key=lambda one: one.name):
                current = self._tables.register_states[register.id] is RegisterState.CURRENT
                if current and key in self._tables.register_keys[register.id]:
                    where = f"register {register.name} of {register.as_of}"
                    found.append(Listed(key=key, where=where, is_register=True))
        return found
