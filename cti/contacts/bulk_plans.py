"""What an action on many does to one of them: a change, or the reason why it leaves him as he is. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from cti.contacts.changes import Change, EntryFacts, Subject, opposite, steps, still_fits
from cti.contacts.ranking import rank
from cti.model.bulk import BulkKind, WhyNot
from cti.model.campaign_rules import Order
from cti.model.contacts import EntryState
from cti.model.verdicts import SkipReason

Judged = Change | WhyNot
Argument = Mapping[str, Any]
_Plan = Callable[[Subject, Argument, datetime], Judged]

_OVER: Final = frozenset({SkipReason.LIST_ENDED.value, SkipReason.IMPORT_UNDONE.value})
"""Entries that are done for these reasons do not come back."""


def judged(kind: BulkKind, subject: Subject, argument: Argument, at: datetime) -> Judged:
    """Return what the action does to a contact as he stands."""
    change = _PLANS[kind](subject, argument, at)
    return WhyNot.ALREADY if isinstance(change, Change) and not change else change


def taken_back(subject: Subject, change: Change) -> Judged:
    """Return the opposite of a change, unless somebody changed the contact since."""
    back = opposite(change)
    return back if still_fits(back, subject) else WhyNot.CHANGED_SINCE


def _tag(subject: Subject, argument: Argument, at: datetime) -> Judged:
    return Change(tags_added=tuple(sorted({argument["tag"]} - subject.tags)))


def _untag(subject: Subject, argument: Argument, at: datetime) -> Judged:
    return Change(tags_removed=tuple(sorted({argument["tag"]} & subject.tags)))


def _stage(subject: Subject, argument: Argument, at: datetime) -> Judged:
    return Change(contact=steps(subject.facts, {"stage": argument["stage"]}))


def _stop(subject: Subject, argument: Argument, at: datetime) -> Judged:
    """A call that is up goes on; whoever decides what follows it sees that the contact is stopped."""
    if subject.facts["stopped_at"] is not None:
        return WhyNot.ALREADY
    after = {
        "state": EntryState.DONE,
        "due_at": None,
        "reason": SkipReason.STOPPED.value,
        "reason_detail": "",
        "reason_at": at,
    }
    waiting = (EntryState.PENDING, EntryState.WAITING)
    return Change(
        contact={"stopped_at": (None, at)},
        entries={one.id: _moved(one, after) for one in subject.entries if one.state in waiting},
    )


def _reopen(subject: Subject, argument: Argument, at: datetime) -> Judged:
    if subject.dialing:
        return WhyNot.DIALING
    after = {
        "state": EntryState.PENDING,
        "due_at": None,
        "reason": None,
        "reason_detail": None,
        "reason_at": None,
    }
    return Change(
        contact=steps(subject.facts, {"stopped_at": None}),
        entries={
            one.id: _moved(one, after)
            for one in subject.entries
            if one.state is EntryState.DONE and one.reason not in _OVER
        },
    )


def _priority(subject: Subject, argument: Argument, at: datetime) -> Judged:
    chosen = _chosen(subject, argument.get("list"))
    if not chosen:
        return WhyNot.DIALING if subject.dialing else WhyNot.NO_ENTRY
    moved = {one.id: _moved(one, {"priority": argument["priority"]}) for one in chosen}
    return Change(entries={entry_id: part for entry_id, part in moved.items() if part})


def _move(subject: Subject, argument: Argument, at: datetime) -> Judged:
    target, campaign_id = argument["list"], argument["campaign"]
    if any(one.list_id == target for one in subject.entries):
        return WhyNot.ALREADY
    chosen = _chosen(subject, argument.get("from"))
    if not chosen:
        return WhyNot.DIALING if subject.dialing else WhyNot.NO_ENTRY
    if len(chosen) > 1:
        return WhyNot.SEVERAL_ENTRIES
    (entry,) = chosen
    elsewhere = [one for one in subject.entries if one.id != entry.id]
    if entry.campaign_id != campaign_id and any(one.campaign_id == campaign_id for one in elsewhere):
        return WhyNot.IN_CAMPAIGN
    after: dict[str, Any] = {"list_id": target, "campaign_id": campaign_id}
    if entry.campaign_id != campaign_id:
        score = subject.facts["score"]
        after["rank"] = rank(Order(argument["order"]), entry_id=entry.id, score=score)
    return Change(entries={entry.id: _moved(entry, after)})


def _list(subject: Subject, argument: Argument, at: datetime) -> Judged:
    if subject.facts["stopped_at"] is not None:
        return WhyNot.STOPPED
    if not subject.zones:
        return WhyNot.NO_NUMBER
    if any(one.list_id == argument["list"] for one in subject.entries):
        return WhyNot.ALREADY
    if not argument["again"] and any(one.campaign_id == argument["campaign"] for one in subject.entries):
        return WhyNot.IN_CAMPAIGN
    place = {
        "list_id": argument["list"],
        "campaign_id": argument["campaign"],
        "state": EntryState.PENDING,
        "priority": argument["priority"],
        "owner_key": subject.facts["owner_agent_id"] or 0,
        "zone": subject.facts["zone"] or subject.zones[0] or "",
        "order": argument["order"],
        "score": subject.facts["score"],
    }
    return Change(entry_added=place)


def placed(change: Change, entry_id: int) -> Change:
    """Return a change whose new entry has its id, and the rank that follows from it."""
    if change.entry_added is None:
        return change
    place = {"id": entry_id, **change.entry_added}
    order, score = place.pop("order", None), place.pop("score", None)
    if order is not None:
        place["rank"] = rank(Order(order), entry_id=entry_id, score=score)
    return replace(change, entry_added=place)


_PLANS: Final[Mapping[BulkKind, _Plan]] = {
    BulkKind.TAG: _tag,
    BulkKind.UNTAG: _untag,
    BulkKind.STAGE: _stage,
    BulkKind.STOP: _stop,
    BulkKind.REOPEN: _reopen,
    BulkKind.PRIORITY: _priority,
    BulkKind.MOVE: _move,
    BulkKind.LIST: _list,
}


def _chosen(subject: Subject, list_id: int | None) -> list[EntryFacts]:
    """Return the entries that wait to be dialed, in one list or in all."""
    waiting = (EntryState.PENDING, EntryState.WAITING)
    return [one for one in subject.entries if one.state in waiting and list_id in (None, one.list_id)]


def _moved(entry: EntryFacts, after: Mapping[str, Any]) -> Mapping[str, tuple[Any, Any]]:
    return steps({name: getattr(entry, name) for name in after}, after)
