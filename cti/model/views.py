"""Saved views: conditions with a name, built in or kept by people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cti.model.call_record import moment
from cti.model.conditions import Scope
from cti.model.contact_rows import Sort


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A condition with a name. It is settled anew for everybody who looks: `me` and `today` are his."""

    id: str
    """A word of ours for built-in ones, else a number."""
    name: str
    about: Scope
    condition: Mapping[str, Any]
    sort: Sort = Sort.NEWEST
    """Of contacts; calls come newest first."""
    owner: str = ""
    """Name of the token or the agent's login; empty: built in."""
    shared: bool = True
    """Everybody sees it; changing it is its owner's."""
    created_at: datetime | None = None


def _field(name: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": name, operator: value}


def _due(operator: str, value: str) -> dict[str, Any]:
    return {"any": [_field("callback", operator, value), _field("next_follow_up", operator, value)]}


_OPEN: Final = _field("stopped", "empty", True)

BUILT_IN: Final = (
    View(id="mine", name="My contacts", about=Scope.CONTACT, condition=_field("owner", "is", "me")),
    View(
        id="due_today",
        name="Due today",
        about=Scope.CONTACT,
        condition={"all": [_due("within", "today"), _OPEN]},
        sort=Sort.NEXT_FOLLOW_UP,
    ),
    View(
        id="overdue",
        name="Overdue",
        about=Scope.CONTACT,
        condition={"all": [_due("before", "now"), _OPEN]},
        sort=Sort.NEXT_FOLLOW_UP,
    ),
    View(
        id="never_called",
        name="Never called",
        about=Scope.CONTACT,
        condition={"all": [_field("last_call", "empty", True), _OPEN]},
        sort=Sort.OLDEST,
    ),
    View(
        id="stopped",
        name="Stopped",
        about=Scope.CONTACT,
        condition=_field("stopped", "empty", False),
    ),
)


def view_record(view: View) -> dict[str, Any]:
    """Return a view as everybody outside sees it."""
    return {
        "id": view.id,
        "name": view.name,
        "about": "calls" if view.about is Scope.CALL else "contacts",
        "condition": dict(view.condition),
        "sort": view.sort,
        "owner": view.owner or None,
        "shared": view.shared,
        "created_at": moment(view.created_at),
    }
