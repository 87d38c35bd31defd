"""Takes records of a CRM into a campaign's list, within a transaction that is open: contacts, entries, what is kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.compliance.consents import NewConsent
from cti.compliance.facts import ConsentStanding
from cti.compliance.listings import EVERY_CAMPAIGN, NewListing
from cti.contacts.changes import Change as Told
from cti.contacts.changes import change_record, steps
from cti.contacts.crm_records import Heard, adopted, agent_of, laid_upon, new_contact
from cti.contacts.doubles import Change
from cti.model.contacts import EntryState, NewContact
from cti.model.crm_pulls import PullRules
from cti.model.ownership import MoveKind, Terms, Wish
from cti.ownership.judging import judged
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.contact_writes import Into, Joining, add_contacts, add_entries, change_contacts
from cti.storage.owner_rows import lock_contacts, lock_takers, write_moves
from cti.storage.pull_cases import Case
from cti.storage.pull_leaving import come_back, leave, wake
from cti.storage.sql_consents import record_consents
from cti.storage.sql_do_not_call import add_listings

_TOLD: Final = ("name", "crm_ref", "crm_customer", "crm_deal", "stage", "zone", "consent", "fields")
_LOGINS: Final = select(tables.agents.c.id, tables.agents.c.login).where(tables.agents.c.left_at.is_(None))
_DEAL: Final = (
    update(tables.contacts)
    .where(tables.contacts.c.id == bindparam("contact"))
    .values(deal=bindparam("new_deal", type_=tables.contacts.c.deal.type))
)
_KEPT: Final = tuple(column.name for column in tables.crm_records.c if column.name not in ("pull", "ref"))
PROBLEM_LENGTH: Final = 500


class RecordWriter:
    """Writes one answer of a CRM."""

    def __init__(
        self, connections: Connections, connection: AsyncConnection, rules: PullRules, into: Into
    ) -> None:
        self._connections = connections
        self._connection = connection
        self._rules = rules
        self._into = into
        self._at = into.at
        self._by = f"crm {rules.target}"
        self.counts: Counter[str] = Counter()

    async def write(self, cases: Sequence[Case]) -> None:
        """Bring contacts, entries, owners and lists in step with the records, then remember what they said."""
        for case in cases:
            self._decide(case)
        await self._contacts(cases)
        await self._entries(cases)
        if self._rules.owners:
            await self._owners(cases)
        await self._opted_out(cases)
        await self._history(cases)
        await wake(self._connection, [case.entry_id for case in cases if case.entry_id is not None])
        await self._remember(cases)

    def _decide(self, case: Case) -> None:
        """Say what the contact is to be; a record that is over or refused makes none."""
        heard, count = case.heard, self.counts
        if heard.problems:
            count["refused" if heard.refused else "problems"] += 1
        if heard.refused and not heard.over:
            return
        if case.known is None:
            if heard.over or not case.first:
                # over before it ever came, or removed here: neither is brought in
                count["passed"] += 1
                return
            case.after = new_contact(heard, at=self._at, source=self._by)
            count["added"] += 1
        elif case.first:
            if heard.over and case.entry is None:
                count["passed"] += 1
                case.contact_id = None
                return
            case.after = adopted(case.known.contact, heard, at=self._at, source=self._by)
            count["joined"] += 1
        elif heard.said:
            case.after = laid_upon(case.known.contact, heard, case.memory.said, at=self._at, source=self._by)
        case.deal_moved = bool(heard.said) and heard.said.get("deal") != case.memory.said.get("deal")
        if not case.first:
            moved = case.after is not None and (case.after != case.known.contact if case.known else True)
            count["changed" if moved or case.deal_moved else "unchanged"] += 1

    async def _contacts(self, cases: Sequence[Case]) -> None:
        new = [case for case in cases if case.known is None and case.after is not None]
        contacts = [case.after for case in new if case.after is not None]
        ids = await add_contacts(self._connections, self._connection, contacts, self._into)
        for case, contact_id in zip(new, ids, strict=True):
            case.contact_id = contact_id
        changed = [
            (case, Change(known=case.known, after=_without_consent(case.after, case.known.contact)))
            for case in cases
            if case.known is not None and case.after is not None and case.after != case.known.contact
        ]
        await change_contacts(
            self._connections, self._connection, [change for _, change in changed], at=self._at
        )
        said = [
            one
            for case, change in changed
            if (one := self._consent(case, change.known.contact, case.after or change.after)) is not None
        ]
        if said:
            await record_consents(self._connections, self._connection, said, by=self._by, at=self._at)
        deals = [
            {"contact": case.contact_id, "new_deal": case.heard.said.get("deal")}
            for case in cases
            if case.deal_moved and case.contact_id is not None
        ]
        if deals:
            await self._connection.execute(_DEAL, deals)

    def _consent(self, case: Case, before: NewContact, after: NewContact) -> NewConsent | None:
        if after.consent is None or after.consent == before.consent or case.contact_id is None:
            return None
        return NewConsent(
            contact_id=case.contact_id,
            standing=ConsentStanding(after.consent),
            at=after.consent_at or self._at,
            source=self._by,
            evidence=case.heard.ref,
        )

    async def _entries(self, cases: Sequence[Case]) -> None:
        joining = [
            case
            for case in cases
            if case.first and case.entry is None and case.after is not None and not case.heard.over
        ]
        wanted = [
            Joining(
                contact_id=case.contact_id,
                contact=case.after,
                owner_agent_id=case.known.owner_agent_id if case.known else None,
            )
            for case in joining
            if case.contact_id is not None and case.after is not None
        ]
        ids = await add_entries(self._connections, self._connection, wanted, self._into)
        for case, entry_id in zip(joining, ids, strict=True):
            case.entry_id = entry_id
        leaving = [case for case in cases if case.heard.over]
        self.counts["left"] += await leave(self._connection, leaving, target=self._rules.target, at=self._at)
        staying = [case for case in cases if not case.heard.over and not case.heard.refused]
        self.counts["back"] += await come_back(self._connection, staying)

    async def _owners(self, cases: Sequence[Case]) -> None:
        moved = [
            case
            for case in cases
            if case.contact_id is not None
            and case.heard.said
            and not case.heard.over
            and case.heard.said.get("owner") != case.memory.said.get("owner")
        ]
        if not moved:
            return
        logins = {row.login.casefold(): row.id for row in await self._connection.execute(_LOGINS)}
        wishes = [
            wish
            for case in moved
            if case.contact_id is not None and (wish := self._wish(case, case.contact_id, logins)) is not None
        ]
        if not wishes:
            return
        terms = Terms(
            kind=MoveKind.ASSIGNED,
            by=self._by,
            at=self._at,
            reason=f"owner in {self._rules.target}",
            stopped_too=True,
            dialing_too=True,
        )
        takers = await lock_takers(self._connection, wishes)
        held, missing = await lock_contacts(
            self._connection, [wish.contact_id for wish in wishes], wait=True, since=None
        )
        done = judged(wishes, terms=terms, held=held, takers=takers, missing=missing)
        await write_moves(self._connection, done.moves)
        self.counts["owner_refused"] += len(done.refused)

    def _wish(self, case: Case, contact_id: int, logins: Mapping[str, int]) -> Wish | None:
        """Return who is to own him from now on; None: nobody else than now."""
        owner = case.heard.said.get("owner")
        after = agent_of(owner, logins)
        before = case.known.owner_agent_id if case.known else None
        if owner is not None and after is None:
            self.counts["owner_unknown"] += 1
        theirs = agent_of(case.memory.said.get("owner"), logins)
        if case.first and before is not None:
            return None  # he was ours before he was theirs
        if after is None and before != theirs:
            return None  # nobody we know there, and here somebody else than they had named
        return Wish(contact_id=contact_id, before=before, after=after) if before != after else None

    async def _opted_out(self, cases: Sequence[Case]) -> None:
        """List the numbers of whoever opted out, in every campaign. Nothing takes that back but a person here."""
        out = [
            (case, number.e164)
            for case in cases
            if case.heard.opted_out and not case.memory.said.get("opted_out")
            for number in case.heard.numbers
        ]
        if not out:
            return
        listings = [
            NewListing(key=e164, campaign_id=EVERY_CAMPAIGN, reason=f"opted out in {case.heard.ref}")
            for case, e164 in out
        ]
        self.counts["opted_out"] += await add_listings(
            self._connections, self._connection, listings, by=self._by, at=self._at
        )

    async def _history(self, cases: Sequence[Case]) -> None:
        rows = [
            {
                "contact_id": case.contact_id,
                "at": self._at,
                "by": self._by,
                "kind": "crm",
                "bulk_id": None,
                "change": change_record(told),
            }
            for case in cases
            if case.known is not None and case.contact_id is not None and (told := _told(case))
        ]
        if rows:
            await self._connection.execute(insert(tables.contact_changes), rows)

    async def _remember(self, cases: Sequence[Case]) -> None:
        rows = [self._row(case) for case in cases if self._is_kept(case)]
        if not rows:
            return
        new = self._connections.insert(tables.crm_records)
        statement = new.on_conflict_do_update(
            index_elements=[tables.crm_records.c.pull, tables.crm_records.c.ref],
            set_={name: new.excluded[name] for name in _KEPT},
        )
        await self._connection.execute(statement, rows)

    def _is_kept(self, case: Case) -> bool:
        """Whether the record is remembered: not one that was over before it ever came, unless it opted out."""
        return not case.first or case.contact_id is not None or case.heard.refused or case.heard.opted_out

    def _row(self, case: Case) -> dict[str, Any]:
        heard, memory = case.heard, case.memory
        moved = heard.next_follow_up_at != memory.follow_up_at and self._rules.callbacks
        row = {
            "pull": self._rules.name,
            "ref": heard.ref,
            "contact_id": case.contact_id if memory.contact_id is None else memory.contact_id,
            "entry_id": case.entry_id if memory.entry_id is None else memory.entry_id,
            "name": heard.name or str(memory.said.get("name", "")),
            "said": self._said(heard, memory.said),
            "over": heard.over,
            "changed_at": heard.changed_at or memory.changed_at,
            "seen_at": self._at,
            "problem": "; ".join(heard.problems)[:PROBLEM_LENGTH] or None,
            "refused": heard.refused,
            "follow_up_at": heard.next_follow_up_at,
        }
        return row | {"follow_up_open": moved and case.contact_id is not None and not heard.over}

    def _said(self, heard: Heard, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return what to compare the next reading with: of a record that could not be read, what it said before."""
        opted = {"opted_out": True} if heard.opted_out else {}
        return {**(heard.said or before), **opted}


def _without_consent(after: NewContact, before: NewContact) -> NewContact:
    """Return the contact with the consent he had: another one is written with its history."""
    return replace(
        after,
        consent=before.consent,
        consent_at=before.consent_at,
        consent_source=before.consent_source,
    )


def _told(case: Case) -> Told:
    """Return the change as the contact's history tells it."""
    before, after = case.known.contact if case.known else None, case.after
    contact: dict[str, Any] = {}
    if before is not None and after is not None:
        contact = dict(steps(_facts(before), _facts(after)))
    entries = {}
    if case.entry is not None and (case.left or case.back):
        becomes = EntryState.DONE if case.left else EntryState.PENDING
        words = case.heard.over if case.left else None
        entries[case.entry.id] = {
            "state": (case.entry.state.value, becomes.value),
            "reason_detail": (case.entry.reason_detail, words),
        }
    return Told(contact=contact, entries=entries)


def _facts(contact: NewContact) -> dict[str, Any]:
    """Return what the history tells of a contact, as JSON values."""
    facts = {name: getattr(contact, name) for name in _TOLD}
    numbers = [number.e164 for number in contact.numbers]
    return facts | {"fields": dict(contact.fields), "numbers": numbers}
