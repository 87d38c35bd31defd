"""What a page of a pull writes, in memory, where the other twins look."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cti.contacts.changes import change_record
from cti.contacts.crm_cases import (
    Case,
    consent_of,
    listings_of,
    over_words,
    owner_terms,
    speaker,
    told_of,
    wishes_of,
    without_consent,
)
from cti.contacts.doubles import entry_zone
from cti.contacts.ranking import rank
from cti.model.callbacks import OPEN_CALLBACKS
from cti.model.contact_rows import ContactChange
from cti.model.contacts import Campaign, EntryState
from cti.model.crm_pulls import (
    PullRules,
)
from cti.storage.known_contacts import COLUMNS
from tests.fakes.memory_consents import MemoryConsents
from tests.fakes.memory_do_not_call import MemoryDoNotCall
from tests.fakes.memory_looks import set_columns
from tests.fakes.memory_ownership import MemoryOwnership
from tests.fakes.memory_tables import Entry, MemoryTables, Reason, StoredList


class PullWriter:
    """Writes into the tables that all twins share."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    async def write(
        self, rules: PullRules, cases: Sequence[Case], campaign: Campaign, counts: Counter[str], at: datetime
    ) -> None:
        """Write what was decided: contacts, consents, entries, owners, numbers nobody dials, history."""
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
            self.wake(entry)

    def wake(self, entry: Entry) -> None:
        """Have an entry be dialed, or wait for the callback that was promised."""
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
