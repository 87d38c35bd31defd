"""The last word of the CRMs before a dial: a gate around the law's gate, for campaigns whose lists are pulled.

Two statements stand between a record that is lost and a call: the entry is ended when the record is taken, and whoever
slipped through (a call was under way then, a retry followed) is refused here. Only memory is asked, never a CRM.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from cti.crm.pull_ports import PullStore
from cti.model.contacts import Campaign, Candidate
from cti.model.crm_pulls import PullRules, RecordStanding
from cti.model.verdicts import SkipReason, Verdict

HELD_FOR: Final = timedelta(minutes=10)
LONGEST_HELD: Final = timedelta(hours=6)
"""Whoever is held back for old data is looked at again after as long as the data is old, within these bounds. Reading
his record wakes him at once; while the CRM is away for days, each look leaves a row in his history."""


class InnerGate(Protocol):
    """The rules of law and custom."""

    async def ask(
        self, campaign: Campaign, candidates: Sequence[Candidate], now: datetime
    ) -> list[Verdict]: ...
    def open_zones(self, campaign: Campaign, zones: Collection[str], now: datetime) -> frozenset[str]: ...


class CrmGate:
    """Asks the inner gate, then what is remembered of the records. Campaigns without pulls cost nothing."""

    def __init__(self, *, gate: InnerGate, store: PullStore, pulls: Sequence[PullRules]) -> None:
        self._gate = gate
        self._store = store
        self._pulls: dict[str, list[PullRules]] = {}
        for one in pulls:
            if not one.dry_run:
                self._pulls.setdefault(one.campaign, []).append(one)

    async def ask(self, campaign: Campaign, candidates: Sequence[Candidate], now: datetime) -> list[Verdict]:
        """Answer for each candidate, in their order. Raises as the inner gate, and StorageError."""
        verdicts = await self._gate.ask(campaign, candidates, now)
        pulls = self._pulls.get(campaign.name)
        if not pulls:
            return verdicts
        wanted = {
            one.entry_id
            for one, verdict in zip(candidates, verdicts, strict=True)
            if verdict.allowed and one.entry_id
        }
        if not wanted:
            return verdicts
        known = await self._store.entries(wanted, pulls=[one.name for one in pulls])
        refused = refusals(known, pulls, now=now)
        return [
            refused.get(one.entry_id, verdict) if verdict.allowed else verdict
            for one, verdict in zip(candidates, verdicts, strict=True)
        ]

    def open_zones(self, campaign: Campaign, zones: Collection[str], now: datetime) -> frozenset[str]:
        """Return those of the zones in which the campaign may call now."""
        return self._gate.open_zones(campaign, zones, now)


def held_for(age: timedelta) -> timedelta:
    """Return for how long somebody is held back whose record was read so long ago. Pure."""
    return min(max(age, HELD_FOR), LONGEST_HELD)


def refusals(
    known: Sequence[RecordStanding], pulls: Sequence[PullRules], *, now: datetime
) -> dict[int, Verdict]:
    """Return, by entry, why it is not dialed. Of several pulls of one campaign the strictest counts. Pure."""
    held = [one.recheck for one in pulls if one.hold and one.recheck is not None]
    found: dict[int, Verdict] = {}
    for one in known:
        if one.over is not None:
            words = f"{one.over.replace('_', ' ')} in {', '.join(sorted({pull.target for pull in pulls}))}"
            found[one.entry_id] = Verdict(allowed=False, reason=SkipReason.CRM_OVER, detail=words)
        elif held and now - one.seen_at > min(held) and one.entry_id not in found:
            found[one.entry_id] = Verdict(
                allowed=False,
                reason=SkipReason.CRM_STALE,
                detail=f"the CRM's record was read on {one.seen_at:%Y-%m-%d %H:%M} UTC, and is read again first",
                until=now + held_for(now - one.seen_at),
            )
    return found
