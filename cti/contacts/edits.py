"""What an edit of one contact changes, beside the columns it names: his places in lists follow. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cti.contacts.changes import Change, EntryFacts, Steps, Subject, steps
from cti.contacts.ranking import rank
from cti.model.campaign_rules import Order
from cti.model.contacts import EntryState

PLAIN: Final = (
    "name",
    "stage",
    "zone",
    "score",
    "crm_ref",
    "crm_customer",
    "crm_contact",
    "crm_deal",
    "next_follow_up_at",
)
"""Columns that an edit may set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What somebody wants to be otherwise; what is not named stays."""

    columns: Mapping[str, str | float | datetime | None] = field(default_factory=dict)
    """By the names of `PLAIN`."""
    fields: Mapping[str, str | None] = field(default_factory=dict)
    """Custom fields; None takes one away."""
    tags: frozenset[str] | None = None
    """All his tags from now on; None: they stay."""


def edited(subject: Subject, edit: Edit, *, orders: Mapping[int, Order]) -> Change:
    """Return the change. `orders`: how each campaign orders its entries, by its id."""
    facts = dict(edit.columns)
    kept: dict[str, Any] = {**subject.facts["fields"], **edit.fields}
    fields = {header: value for header, value in kept.items() if value is not None}
    tags = subject.tags if edit.tags is None else edit.tags
    return Change(
        contact=steps(subject.facts, {**facts, "fields": fields} if edit.fields else facts),
        entries=_places(subject, facts, orders),
        tags_added=tuple(sorted(tags - subject.tags)),
        tags_removed=tuple(sorted(subject.tags - tags)),
    )


def _places(subject: Subject, facts: Mapping[str, Any], orders: Mapping[int, Order]) -> Mapping[int, Steps]:
    """Entries stand in lanes by time zone, and within them by rank: both follow the contact, while nobody is called."""
    changed = {}
    for entry in subject.entries:
        if entry.state in (EntryState.DIALING, EntryState.DONE):
            continue
        after: dict[str, Any] = {}
        if "zone" in facts:
            after["zone"] = entry_zone(facts["zone"], subject, entry)
        if "score" in facts and orders.get(entry.campaign_id) is Order.SCORE:
            after["rank"] = rank(Order.SCORE, entry_id=entry.id, score=facts["score"])
        if part := steps({name: getattr(entry, name) for name in after}, after):
            changed[entry.id] = part
    return changed


def entry_zone(own: str | None, subject: Subject, entry: EntryFacts) -> str:
    """Return the zone of an entry: the contact's own, else that of the number to be dialed, else empty."""
    if own:
        return own
    at = entry.number_position
    return (subject.zones[at] if at < len(subject.zones) else None) or ""
