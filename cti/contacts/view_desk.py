"""Saved views: kept, looked through, counted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from cti.clock import Clock
from cti.contacts.conditions import condition_of
from cti.contacts.desk import Asking, ContactDesk
from cti.errors import BadInput, NotFound
from cti.model.conditions import Scope
from cti.model.views import BUILT_IN, View


class ViewStore(Protocol):
    """Views that people keep. Every method is one transaction."""

    async def views(self) -> list[View]:
        """List all of them, oldest first."""
        ...

    async def add_view(self, view: View, *, at: datetime) -> View:
        """Store a view; its `id` is ignored. Raises Conflict when its owner has one of that name."""
        ...

    async def remove_view(self, view_id: str) -> None:
        """Remove one. Raises NotFound."""
        ...


class ViewDesk:
    """Built-in views and those that people keep, as one person sees them."""

    def __init__(self, *, store: ViewStore, contacts: ContactDesk, clock: Clock) -> None:
        self._store = store
        self._contacts = contacts
        self._clock = clock

    async def views(self, asking: Asking) -> Sequence[View]:
        """List the built-in views, the shared ones, and his own."""
        kept = await self._store.views()
        return [*BUILT_IN, *(view for view in kept if view.shared or view.owner == asking.name)]

    async def view(self, view_id: str, asking: Asking) -> View:
        """Return one that he sees. Raises NotFound."""
        for view in await self.views(asking):
            if view.id == view_id:
                return view
        raise NotFound(f"there is no view {view_id!r}")

    async def counts(
        self, views: Sequence[View], asking: Asking, *, agent_id: int | None
    ) -> Mapping[str, int | None]:
        """Count what each view shows him; None for one that names somebody who is gone.

        `agent_id`: of calls he sees this agent's alone.
        """
        counted: dict[str, int | None] = {}
        for view in views:
            try:
                given = own_calls(view.condition, agent_id) if view.about is Scope.CALL else view.condition
                counted[view.id] = await self._contacts.count(given, asking, scope=view.about)
            except BadInput:
                counted[view.id] = None
        return counted

    async def add(self, view: View, asking: Asking) -> View:
        """Keep a view under his name. Raises BadInput (the condition), Conflict (the name)."""
        condition_of(view.condition, scope=view.about, where="condition")
        self._contacts.condition(view.condition, asking, scope=view.about)
        return await self._store.add_view(replace(view, owner=asking.name), at=self._clock.now())

    async def remove(self, view_id: str, asking: Asking, *, any_owner: bool) -> None:
        """Remove one of his own, or anybody's. Raises NotFound."""
        view = await self.view(view_id, asking)
        if not view.owner or (view.owner != asking.name and not any_owner):
            raise NotFound(f"there is no view {view_id!r} of yours")
        await self._store.remove_view(view_id)


def own_calls(condition: Mapping[str, Any], agent_id: int | None) -> Mapping[str, Any]:
    """Return the condition, narrowed to the calls of whoever asks when he is an agent (`agent_id`)."""
    if agent_id is None:
        return condition
    return {"all": [{"field": "agent", "is": "me"}, dict(condition)]}
