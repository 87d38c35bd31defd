"""`PullStore` in memory: decides as all stores do, and writes where the other twins look."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cti.contacts.changes import change_record
from cti.contacts.crm_cases import (
    Case,
    assign,
    consent_of,
    decide,
    entry_of,
    is_still_his,
    listings_of,
    memory_values,
    over_words,
    owner_terms,
    speaker,
    told_of,
    wishes_of,
    without_consent,
)
from cti.contacts.crm_records import Heard, Memory, follow_up_day, heard, is_older, newest
from cti.contacts.doubles import Known, entry_zone
from cti.contacts.ranking import rank
from cti.crm.pull_ports import PullChange
from cti.crm.pull_standing import taken
from cti.errors import Conflict, NotFound
from cti.model.callbacks import OPEN_CALLBACKS
from cti.model.contact_rows import ContactChange
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
from tests.fakes.memory_consents import MemoryConsents
from tests.fakes.memory_do_not_call import MemoryDoNotCall
from tests.fakes.memory_finding import subject
from tests.fakes.memory_looks import set_columns
from tests.fakes.memory_ownership import MemoryOwnership
from tests.fakes.memory_tables import Entry, MemoryTables, Reason, StoredList


class MemoryPulls:
    """Standings and records in dictionaries."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self._tables = tables if tables is not None else MemoryTables()
        self._standings: dict[str, PullStanding] = {}
        self._records: dict[tuple[str, str], dict[str, Any]] = {}

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
            await self._write(rules, cases, campaign, counts, at)
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
                    self._wake(entry)

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

    async def _write(
        self, rules: PullRules, cases: Sequence[Case], campaign: Campaign, counts: Counter[str], at: datetime
    ) -> None:
        told = [(case, told_of(case)) for case in cases]
        for case in cases:
            self._put_contact(case, at)
        said = [one for case in cases if (one := consent_of(case, at=at, source=speaker(rules)))]
        for one in await MemoryConsents(self._tables).record(said, by=speaker(rules), at=at):
            columns = {"consent": one.standing.value, "consent_at": one.at, "consent_source": one.source}
            self._tables.contact_columns[one.contact_id] |= columns
        list_id = self._list_of(campaign.id, rules, at)
        for case in cases:
            self._put_entry(case, rules, campaign, list_id, at)
        if rules.owners:
            logins = {one.login.casefold(): one.id for one in self._tables.agents.values() if not one.left_at}
            moved = await MemoryOwnership(self._tables).move(
                wishes_of(cases, logins, counts), terms=owner_terms(rules, at)
            )
            counts["owner_refused"] += len(moved.refused)
        counts["opted_out"] += await MemoryDoNotCall(self._tables).add(
            listings_of(cases), by=speaker(rules), at=at
        )
        for case, change in told:
            if change and case.contact_id is not None:
                self._note(case.contact_id, change_record(change), speaker(rules), at)
        for case in cases:
            self._records[rules.name, case.heard.ref] = memory_values(case, rules, at=at)

    def _put_contact(self, case: Case, at: datetime) -> None:
        tables, after = self._tables, case.after
        if case.known is None and after is not None:
            case.contact_id = tables.new_id()
            tables.created_at[case.contact_id] = at
        elif case.known is not None and after is not None:
            after = without_consent(after, case.known.contact)
        if case.contact_id is None:
            return
        columns: dict[str, Any] = {}
        if after is not None and (case.known is None or case.changes):
            tags = after.fields.get("tags", ())
            tables.contact_tags[case.contact_id] |= set(tags)  # type: ignore[call-overload]
            after = replace(after, fields={n: v for n, v in after.fields.items() if n != "tags"})
            tables.contacts[case.contact_id] = after
            tables.number_ids[case.contact_id] = min([tables.new_id() for _ in after.numbers], default=0)
            columns = {name: getattr(after, name) for name in COLUMNS if not name.startswith("consent")}
            columns["changed_at"] = at if case.known is not None else None
        if case.deal_moved:
            columns["deal"] = case.heard.said.get("deal")
        set_columns(tables, case.contact_id, columns)

    def _put_entry(
        self, case: Case, rules: PullRules, campaign: Campaign, list_id: int, at: datetime
    ) -> None:
        tables = self._tables
        if case.joins and case.contact_id is not None and case.after is not None:
            case.entry_id = tables.new_id()
            tables.entries[case.entry_id] = Entry(
                id=case.entry_id,
                list_id=list_id,
                campaign_id=campaign.id,
                contact_id=case.contact_id,
                owner_key=tables.ownerships[case.contact_id].owner or 0,
                zone=entry_zone(case.after),
                priority=rules.priority,
                rank=rank(campaign.rules.order.order, entry_id=case.entry_id, score=None),
            )
        if case.entry_id is None:
            return
        entry = tables.entries[case.entry_id]
        if case.changes and case.after is not None and entry.state is not EntryState.DIALING:
            entry.zone = entry_zone(case.after)
        if case.leaves:
            words = over_words(case.heard.over or "", rules.target)
            tables.reasons.append(self._reason(entry, words, at))
            entry.state, entry.due_at, entry.reason = EntryState.DONE, None, "crm_over"
            entry.reason_detail, entry.reason_at = words, at
        elif case.returns or (entry.state is EntryState.WAITING and entry.reason == "crm_stale"):
            self._wake(entry)

    def _wake(self, entry: Entry) -> None:
        promised = [
            one.due_at
            for one in self._tables.callbacks.values()
            if one.entry_id == entry.id and one.state in OPEN_CALLBACKS
        ]
        waits = entry.reason == "crm_over" and promised
        entry.state = EntryState.WAITING if waits else EntryState.PENDING
        entry.due_at = min(promised) if waits else None
        entry.reason = "callback_later" if waits else None
        entry.reason_detail = entry.reason_at = None

    def _reason(self, entry: Entry, words: str, at: datetime) -> Reason:
        return Reason(
            id=self._tables.new_id(),
            at=at,
            kind="skipped",
            reason="crm_over",
            detail=words,
            entry_id=entry.id,
            contact_id=entry.contact_id,
            campaign_id=entry.campaign_id,
            number=self._tables.candidate(entry).number,
            call_id=None,
        )

    def _note(self, contact_id: int, change: dict[str, Any], by: str, at: datetime) -> None:
        row = ContactChange(
            id=self._tables.new_id(),
            contact_id=contact_id,
            at=at,
            by=by,
            kind="crm",
            bulk_id=None,
            change=change,
        )
        self._tables.contact_changes.append(row)

    def _list_of(self, campaign_id: int, rules: PullRules, at: datetime) -> int:
        for list_id, one in self._tables.lists.items():
            if (one.campaign_id, one.name) == (campaign_id, rules.name):
                return list_id
        list_id = self._tables.new_id()
        source = f"{rules.target}: {rules.source}"
        self._tables.lists[list_id] = StoredList(
            campaign_id=campaign_id, name=rules.name, source=source, refused=(), created_at=at
        )
        return list_id

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
