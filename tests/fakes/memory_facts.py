"""`FactStore` in memory."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from cti.model.agents import AgentChange
from cti.model.calls import Call
from cti.model.conditions import Scope
from cti.model.queries import CallFilter, CallRow
from tests.fakes.conditions import holds
from tests.fakes.memory_looks import CallLook
from tests.fakes.memory_tables import MemoryTables


class MemoryFacts:
    """Reads the dictionaries of the other twins."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()

    async def call_rows(self, wanted: CallFilter) -> list[CallRow]:
        newest_first = sorted(self._tables.calls.values(), key=lambda call: call.id, reverse=True)
        return [self.row(call) for call in newest_first if self._matches(call, wanted)][: wanted.limit]

    async def all_call_rows(self, wanted: CallFilter) -> AsyncIterator[CallRow]:
        for row in await self.call_rows(replace(wanted, limit=len(self._tables.calls))):
            yield row

    async def agent_changes(self, *, since: datetime, until: datetime) -> list[AgentChange]:
        ordered = sorted(self._tables.agent_changes, key=lambda change: change.at)
        before = {change.agent_id: change for change in ordered if change.at < since}
        first = sorted(before.values(), key=lambda change: change.at)
        return first + [change for change in ordered if since <= change.at < until]

    def _matches(self, call: Call, wanted: CallFilter) -> bool:
        verdict = self._tables.verdicts.get(call.id)
        return all(
            (
                wanted.since is None or call.placed_at >= wanted.since,
                wanted.until is None or call.placed_at < wanted.until,
                wanted.campaign_id in (None, call.campaign_id),
                wanted.agent_id in (None, call.agent_id),
                wanted.number is None or _number_matches(call.number, wanted.number),
                wanted.outcome in (None, call.outcome),
                wanted.disposition in (None, verdict.disposition if verdict else None),
                wanted.contact_id in (None, call.contact_id),
                wanted.condition is None or holds(wanted.condition, CallLook(self._tables, call), Scope.CALL),
                not (wanted.open_only and call.ended),
                wanted.before_id is None or call.id < wanted.before_id,
            )
        )

    def row(self, call: Call) -> CallRow:
        """Return a call with its names."""
        contact = self._tables.contacts.get(call.contact_id or 0)
        campaign = self._tables.campaigns.get(call.campaign_id or 0)
        agent = self._tables.agents.get(call.agent_id or 0)
        verdict = self._tables.verdicts.get(call.id)
        return CallRow(
            call=call,
            contact_name=contact.name if contact else None,
            campaign_name=campaign.name if campaign else None,
            agent_login=agent.login if agent else None,
            disposition=verdict.disposition if verdict else None,
            note=verdict.note if verdict else None,
            recording=self._tables.recordings.get(call.id),
            deal=self._tables.contact_columns[call.contact_id].get("deal") if call.contact_id else None,
        )


def _number_matches(number: str, wanted: str) -> bool:
    return number == wanted if wanted.startswith("+") else number.endswith(wanted)
