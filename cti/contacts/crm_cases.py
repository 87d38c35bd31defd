"""A record that a CRM named, beside what is known of it here: what becomes of contact, entry, owner, memory. Pure.

Stores find and lock what a case is about, ask here, and write. All of them decide alike.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from cti.compliance.consents import NewConsent
from cti.compliance.facts import ConsentStanding
from cti.compliance.listings import EVERY_CAMPAIGN, NewListing
from cti.contacts.changes import Change, EntryFacts, Subject, steps
from cti.contacts.crm_records import Heard, Memory, adopted, agent_of, laid_upon, new_contact
from cti.contacts.doubles import Known
from cti.model.contacts import EntryState, NewContact
from cti.model.crm_pulls import PullRules
from cti.model.ownership import MoveKind, Terms, Wish
from cti.model.verdicts import SkipReason

QUEUED: Final = (EntryState.PENDING, EntryState.WAITING)
PROBLEM_LENGTH: Final = 500
_TOLD: Final = ("name", "crm_ref", "crm_customer", "crm_deal", "stage", "zone", "consent", "fields")


@dataclass(slots=True, kw_only=True)
class Case:
    """A record, and what is known of it. Filled on the way."""

    heard: Heard
    memory: Memory
    known: Known | None = None
    """The contact as he stands; None: there is none yet."""
    contact_id: int | None = None
    entry: EntryFacts | None = None
    """As it stood."""
    entry_id: int | None = None
    after: NewContact | None = None
    """The contact as he is to be; None: as he is."""
    deal_moved: bool = False

    @property
    def first(self) -> bool:
        """Whether the record was never taken before."""
        return self.memory.contact_id is None

    @property
    def changes(self) -> bool:
        """Whether a contact that is stored becomes another."""
        return self.known is not None and self.after is not None and self.after != self.known.contact

    @property
    def joins(self) -> bool:
        """Whether the contact is to get a place in the list."""
        return self.first and self.entry is None and self.after is not None and not self.heard.over

    @property
    def leaves(self) -> bool:
        """Whether the entry is to end: a call that is under way goes on."""
        return bool(self.heard.over) and self.entry is not None and self.entry.state in QUEUED

    @property
    def returns(self) -> bool:
        """Whether the entry is to be dialed again that ended because the record was over."""
        return (
            not self.heard.over
            and not self.heard.refused
            and self.entry is not None
            and self.entry.state is EntryState.DONE
            and self.entry.reason == SkipReason.CRM_OVER.value
        )


def speaker(rules: PullRules) -> str:
    """Return who says all this, for histories."""
    return f"crm {rules.target}"


def over_words(over: str, target: str) -> str:
    """Return why an entry is not dialed, for people."""
    return f"{over.replace('_', ' ')} in {target}"


def names_of(ref: str) -> tuple[str, str]:
    """Return how a list may have named this record: with the CRM's name, and without."""
    return ref, ref.partition("/")[2] or ref


def is_still_his(case: Case, subject: Subject) -> bool:
    """Return whether a contact that is remembered is still this record's: ids of removed ones are given anew."""
    return case.first or subject.facts["crm_ref"] in names_of(case.heard.ref)


def entry_of(memory: Memory, subject: Subject, campaign_id: int) -> EntryFacts | None:
    """Return the record's entry: the one remembered; of a record that is new, the contact's open one in the campaign.

    One that was taken out of the list here stays out: None, and no other is made.
    """
    mine = [one for one in subject.entries if one.campaign_id == campaign_id]
    if memory.entry_id is not None:
        return next((one for one in mine if one.id == memory.entry_id), None)
    return next((one for one in reversed(mine) if one.state is not EntryState.DONE), None)


def assign(cases: Sequence[Case], by_ref: Mapping[str, int], by_number: Mapping[str, int]) -> None:
    """Say which contact each record that is new means, if any. One contact is one record's only.

    `by_ref`: contacts by the references that lists brought; `by_number`: those that are no CRM's record yet.
    """
    taken = {case.contact_id for case in cases if case.contact_id is not None}
    for case in cases:
        if not case.first:
            continue
        wanted = [
            *(by_ref.get(name) for name in names_of(case.heard.ref)),
            *(by_number.get(number.e164) for number in case.heard.numbers),
        ]
        case.contact_id = next((one for one in wanted if one is not None and one not in taken), None)
        if case.contact_id is not None:
            taken.add(case.contact_id)


def decide(case: Case, *, at: datetime, source: str, counts: Counter[str]) -> None:
    """Say what the contact is to be; a record that is over or refused makes none."""
    heard = case.heard
    if heard.problems:
        counts["refused" if heard.refused else "problems"] += 1
    if heard.refused and not heard.over:
        return
    if case.known is None:
        if heard.over or not case.first:
            counts["passed"] += 1  # over before it ever came, or removed here: neither is brought in
            return
        case.after = new_contact(heard, at=at, source=source)
        counts["added"] += 1
    elif case.first and heard.over and case.entry is None:
        counts["passed"] += 1
        case.contact_id = None
        return
    elif case.first:
        case.after = adopted(case.known.contact, heard, at=at, source=source)
        counts["joined"] += 1
    elif heard.said:
        case.after = laid_upon(case.known.contact, heard, case.memory.said, at=at, source=source)
    case.deal_moved = bool(heard.said) and heard.said.get("deal") != case.memory.said.get("deal")
    if not case.first:
        counts["changed" if case.changes or case.deal_moved else "unchanged"] += 1
    counts["left"] += case.leaves
    counts["back"] += case.returns


def without_consent(after: NewContact, before: NewContact) -> NewContact:
    """Return the contact with the consent he had: another one is written with its history."""
    return replace(
        after,
        consent=before.consent,
        consent_at=before.consent_at,
        consent_source=before.consent_source,
    )


def consent_of(case: Case, *, at: datetime, source: str) -> NewConsent | None:
    """Return what the contact says now to being called; None: nothing else than before."""
    before, after = case.known.contact if case.known else None, case.after
    if before is None or after is None or case.contact_id is None:
        return None
    if after.consent is None or after.consent == before.consent:
        return None
    return NewConsent(
        contact_id=case.contact_id,
        standing=ConsentStanding(after.consent),
        at=after.consent_at or at,
        source=source,
        evidence=case.heard.ref,
    )


def owner_moved(case: Case) -> bool:
    """Return whether the CRM names another owner than before, of somebody who is to be dialed."""
    return case.contact_id is not None and owner_named_anew(case)


def owner_named_anew(case: Case) -> bool:
    """Return the same of a record whose contact is not known yet."""
    heard, before = case.heard, case.memory.said
    return bool(heard.said) and not heard.over and heard.said.get("owner") != before.get("owner")


def wishes_of(cases: Sequence[Case], logins: Mapping[str, int], counts: Counter[str]) -> list[Wish]:
    """Return who is to be owned by whom from now on. `logins`: agents' ids by login in small letters."""
    return [wish for case in cases if (wish := _wish(case, logins, counts)) is not None]


def _wish(case: Case, logins: Mapping[str, int], counts: Counter[str]) -> Wish | None:
    if not owner_moved(case) or case.contact_id is None:
        return None
    owner = case.heard.said.get("owner")
    after = agent_of(owner, logins)
    before = case.known.owner_agent_id if case.known else None
    if owner is not None and after is None:
        counts["owner_unknown"] += 1
    if case.first and before is not None:
        return None  # he was ours before he was theirs
    if after is None and before != agent_of(case.memory.said.get("owner"), logins):
        return None  # nobody we know there, and here somebody else than they had named
    return Wish(contact_id=case.contact_id, before=before, after=after) if before != after else None


def owner_terms(rules: PullRules, at: datetime) -> Terms:
    """Return on what terms owners follow the CRM: caps are for what is given out here."""
    return Terms(
        kind=MoveKind.ASSIGNED,
        by=speaker(rules),
        at=at,
        reason=f"owner in {rules.target}",
        stopped_too=True,
        dialing_too=True,
    )


def listings_of(cases: Sequence[Case]) -> list[NewListing]:
    """Return the do-not-call entries of those who opted out since, for every campaign.

    Nothing takes them back but a person here: a number is listed once.
    """
    return [
        NewListing(key=key, campaign_id=EVERY_CAMPAIGN, reason=f"opted out in {case.heard.ref}")
        for case in cases
        if case.heard.opted_out
        for key in _numbers_to_list(case)
    ]


def _numbers_to_list(case: Case) -> list[str]:
    """Return all that he has when he opts out, also what the CRM does not know; later what it names beyond that."""
    named, before = [number.e164 for number in case.heard.numbers], case.memory.said
    if before.get("opted_out"):
        return [key for key in named if key not in before.get("numbers", ())]
    own = case.known.contact.numbers if case.known is not None and case.contact_id is not None else ()
    return list(dict.fromkeys([*named, *(number.e164 for number in own)]))


def told_of(case: Case) -> Change:
    """Return the change as the contact's history tells it."""
    before, after = case.known.contact if case.known else None, case.after
    contact: dict[str, Any] = {}
    if before is not None and after is not None:
        contact = dict(steps(_facts(before), _facts(after)))
    entries = {}
    if case.entry is not None and (case.leaves or case.returns):
        becomes = EntryState.DONE if case.leaves else EntryState.PENDING
        entries[case.entry.id] = {
            "state": (case.entry.state.value, becomes.value),
            "reason_detail": (case.entry.reason_detail, case.heard.over if case.leaves else None),
        }
    return Change(contact=contact, entries=entries)


def _facts(contact: NewContact) -> dict[str, Any]:
    """Return what the history tells of a contact, as JSON values."""
    facts = {name: getattr(contact, name) for name in _TOLD}
    numbers = [number.e164 for number in contact.numbers]
    fields = {name: value for name, value in contact.fields.items() if name != "tags"}
    return facts | {"fields": fields, "numbers": numbers}


def memory_values(case: Case, rules: PullRules, *, at: datetime) -> dict[str, Any]:
    """Return what is remembered of the record from now on, by the columns of `crm_records`.

    Also of one that was over before it ever came: an older reading of it that comes late must not bring it in.
    """
    heard, memory = case.heard, case.memory
    # of a record that could not be read, what it said before; a deletion names no follow-up either
    said = heard.said or memory.said if case.contact_id is not None or case.memory.said else {}
    if heard.opted_out:
        listed = {"numbers": [number.e164 for number in heard.numbers]} if heard.numbers else {}
        said = {**listed, **said, "opted_out": True}
    moved = rules.callbacks and heard.next_follow_up_at != memory.follow_up_at
    waits = (moved or memory.follow_up_since) and case.contact_id is not None and not heard.over
    return {
        "pull": rules.name,
        "ref": heard.ref,
        "contact_id": case.contact_id if memory.contact_id is None else memory.contact_id,
        "entry_id": case.entry_id if memory.entry_id is None else memory.entry_id,
        "name": heard.name or str(memory.said.get("name", "")),
        "said": dict(said),
        "over": heard.over,
        "changed_at": heard.changed_at or memory.changed_at,
        "seen_at": at,
        "problem": "; ".join(heard.problems)[:PROBLEM_LENGTH] or None,
        "refused": heard.refused,
        "follow_up_at": heard.next_follow_up_at,
        "follow_up_since": (memory.follow_up_since or at) if waits else None,
    }
