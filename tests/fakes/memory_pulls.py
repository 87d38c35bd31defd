"""`PullStore` in memory: decides as all stores do; `memory_pull_writes` writes."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cti.contacts.crm_cases import (
    Case,
    assign,
    decide,
    entry_of,
    is_still_his,
    memory_values,
    speaker,
)
from cti.contacts.crm_records import Heard, Memory, follow_up_day, heard, is_older, newest
from cti.contacts.doubles import Known
from cti.crm.pull_ports import PullChange
from cti.crm.pull_standing import taken
from cti.errors import Conflict, NotFound
from cti.model.contacts import Campaign, EntryState, NewContact
from cti.model.crm_pulls import (
    DELETED,
    PullAnswer,
    PullProblem,
    PullRules,
    PullStanding,
    PullStep,
    RecordStanding,
    Wanted,
)
from cti.storage.known_contacts import COLUMNS
from tests.fakes.memory_finding import subject
from tests.fakes.memory_pull_writes import PullWriter
from tests.fakes.memory_tables import MemoryTables


class MemoryPulls:
    """Standings and records in dictionaries."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()
        self._standings: dict[str, PullStanding] = {}
        self._records: dict[tuple[str, str], dict[str, Any]] = {}
        self._writer = PullWriter(self._tables)

    async def standing(self, pull: str) -> PullStanding:
        return self._standings.get(pull, PullStanding(pull=pull))

    async def standings(self) -> list[PullStanding]:
        return [self._standings[name] for name in sorted(self._standings)]

    async def change(self, pull: str, change: PullChange) -> PullStanding:
        self._standings[pull] = change(await self.standing(pull))
        return self._standings[pull]

    async def take(self, rules: PullRules, answer: PullAnswer, *, at: datetime) -> PullStanding:
        before = await self.standing(rules.standing_name)
        if answer.step is PullStep.PAGE and before.cursor != answer.before:
            raise Conflict(f"pull {rules.name} has moved on meanwhile")
        campaign = next((one for one in self._tables.campaigns.values() if one.name == rules.campaign), None)
        if campaign is None:
            raise NotFound(f"pull {rules.name}: there is no campaign {rules.campaign!r}")
        records = [heard(one, region=rules.region) for one in answer.records]
        records += [Heard(ref=ref, name="", said={}, over=DELETED) for ref in answer.gone]
        counts: Counter[str] = Counter()
        cases = self._cases(rules, newest(records), campaign, counts)
        for case in cases:
            decide(case, at=at, source=speaker(rules), counts=counts)
        if not rules.dry_run:
            await self._writer.write(rules, cases, campaign, counts, at)
            for case in cases:
                self._records[rules.name, case.heard.ref] = memory_values(case, rules, at=at)
            if answer.step is not PullStep.PAGE:
                self._seen_again(
                    rules.name, {one.ref for one in records}, {case.heard.ref for case in cases}, at
                )
        self._standings[rules.standing_name] = taken(before, answer, counts, at=at)
        return self._standings[rules.standing_name]

    def _seen_again(self, pull: str, refs: set[str], taken_up: set[str], at: datetime) -> None:
        for ref in refs - taken_up:
            if row := self._records.get((pull, ref)):
                row["seen_at"] = at
                entry = self._tables.entries.get(row["entry_id"])
                if entry is not None and entry.state is EntryState.WAITING and entry.reason == "crm_stale":
                    self._writer.wake(entry)

    def _cases(
        self, rules: PullRules, records: Sequence[Heard], campaign: Campaign, counts: Counter[str]
    ) -> list[Case]:
        memories = {one.ref: self._memory(rules.name, one.ref) for one in records}
        known = [one for one in records if one.said or one.problems or (rules.name, one.ref) in self._records]
        found = [
            Case(heard=one, memory=memories[one.ref])
            for one in known
            if not is_older(one, memories[one.ref].changed_at)
        ]
        counts["older"] += len(known) - len(found)
        for case in found:
            case.contact_id = case.memory.contact_id
        by_ref, by_number = self._keys()
        assign(found, by_ref, by_number)
        for case in found:
            contact_id = case.contact_id
            if contact_id is None or contact_id not in self._tables.contacts:
                case.contact_id = None
                continue
            him = subject(self._tables, contact_id)
            if not is_still_his(case, him):
                case.contact_id = None
                continue
            case.known = Known(
                id=contact_id,
                contact=self._contact(contact_id),
                owner_agent_id=self._tables.ownerships[contact_id].owner,
            )
            case.entry = entry_of(case.memory, him, campaign.id)
            case.entry_id = case.entry.id if case.entry else None
        return found

    def _memory(self, pull: str, ref: str) -> Memory:
        row = self._records.get((pull, ref))
        if row is None:
            return Memory(ref=ref)
        names = (
            *("ref", "contact_id", "entry_id", "said", "over", "changed_at", "seen_at"),
            *("follow_up_at", "follow_up_since"),
        )
        return Memory(**{name: row[name] for name in names})

    def _keys(self) -> tuple[dict[str, int], dict[str, int]]:
        by_ref: dict[str, int] = {}
        by_number: dict[str, int] = {}
        for contact_id in sorted(self._tables.contacts):
            contact = self._contact(contact_id)
            if contact.crm_ref:
                by_ref.setdefault(contact.crm_ref, contact_id)
                continue
            for number in contact.numbers:
                by_number.setdefault(number.e164, contact_id)
        return by_ref, by_number

    def _contact(self, contact_id: int) -> NewContact:
        """Return a contact with what was written since he was brought in."""
        columns = self._tables.contact_columns[contact_id]
        return replace(
            self._tables.contacts[contact_id],
            **{name: columns[name] for name in COLUMNS if name in columns},
        )

    async def stale(self, rules: PullRules, *, before: datetime, limit: int) -> list[str]:
        entries = self._tables.entries
        found = [
            row
            for row in self._of(rules.name)
            if row["over"] is None
            and row["seen_at"] < before
            and (entry := entries.get(row["entry_id"])) is not None
            and (entry.state is EntryState.PENDING or entry.reason == "crm_stale")
        ]
        found.sort(key=lambda row: (entries[row["entry_id"]].reason != "crm_stale", row["seen_at"]))
        return [row["ref"] for row in found[:limit]]

    async def open_refs(self, rules: PullRules, *, after: str, limit: int) -> list[str]:
        entries = self._tables.entries
        return [
            row["ref"]
            for row in self._of(rules.name)
            if row["ref"] > after
            and row["over"] is None
            and (entry := entries.get(row["entry_id"])) is not None
            and entry.state is not EntryState.DONE
        ][:limit]

    async def entries(self, entry_ids: Collection[int], *, pulls: Sequence[str]) -> list[RecordStanding]:
        return [
            RecordStanding(entry_id=row["entry_id"], over=row["over"], seen_at=row["seen_at"])
            for (pull, _), row in self._records.items()
            if pull in pulls and row["entry_id"] in entry_ids
        ]

    async def problems(self, pull: str, *, after: str = "", limit: int = 100) -> list[PullProblem]:
        return [
            PullProblem(
                ref=row["ref"],
                name=row["name"],
                reason=row["problem"],
                refused=row["refused"],
                contact_id=row["contact_id"],
                at=row["seen_at"],
            )
            for row in self._of(pull)
            if row["problem"] and row["ref"] > after
        ][:limit]

    async def follow_ups(self, pull: str, *, limit: int) -> list[Wanted]:
        return [
            Wanted(
                ref=row["ref"],
                contact_id=row["contact_id"],
                at=row["follow_up_at"],
                day=follow_up_day(row["said"]),
            )
            for row in self._of(pull)
            if row["follow_up_since"]
        ][:limit]

    async def followed_up(self, pull: str, ref: str, at: datetime | None) -> None:
        row = self._records.get((pull, ref))
        if row is not None and row["follow_up_at"] == at:
            row["follow_up_since"] = None

    async def counts(self, pull: str) -> tuple[int, int]:
        rows = self._of(pull)
        return len(rows), sum(row["problem"] is not None for row in rows)

    def _of(self, pull: str) -> list[dict[str, Any]]:
        return [row for (name, _), row in sorted(self._records.items()) if name == pull]
