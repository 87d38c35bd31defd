"""Callbacks, as people agree on them: made, moved, settled; with a warning where the time is a bad one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cti.clock import Clock
from cti.dialer.callback_ports import CallbackStore, CallbackWorks, no_callback_works
from cti.dialer.candidate_ports import Gate
from cti.dialer.queue_ports import ReasonStore
from cti.dialer.retry import CALLBACK_RAISE
from cti.errors import BadInput
from cti.model.callbacks import (
    Callback,
    CallbackChange,
    CallbackFilter,
    CallbackMove,
    NewCallback,
    Whereabouts,
)
from cti.model.contacts import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAnswer:
    """A callback as it is now, and what is to be said of its time. Warnings forbid nothing."""

    callback: Callback
    warnings: tuple[str, ...] = ()


class CallbackDesk:
    """Takes orders about callbacks."""

    def __init__(
        self,
        *,
        store: CallbackStore,
        reasons: ReasonStore,
        gate: Gate,
        campaign: Callable[[int], Campaign],
        clock: Clock,
        clash_minutes: float = 10.0,
        follow: CallbackWorks = no_callback_works,
    ) -> None:
        """`follow` says which work a callback leaves that people made or changed.

        `clash_minutes`: two callbacks of one agent that are nearer to each other are told as a clash."""
        self._store = store
        self._reasons = reasons
        self._gate = gate
        self._campaign = campaign
        self._clock = clock
        self._follow = follow
        self._clash = timedelta(minutes=clash_minutes)

    async def whereabouts(self, contact_id: int) -> Whereabouts:
        """Return a contact's owner and zone. Raises NotFound."""
        return await self._store.whereabouts(contact_id)

    async def add(self, new: NewCallback) -> CallbackAnswer:
        """Plan a callback. Raises NotFound, Conflict (one stands open, or he is stopped), BadInput (it is past)."""
        self._must_be_ahead(new.due_at)
        raised = self._raise_of(new.campaign_id)
        made = await self._store.add(new, raised=raised, at=self._clock.now(), works=self._follow)
        return CallbackAnswer(callback=made, warnings=await self._warnings(made))

    async def change(self, callback_id: int, change: CallbackChange, *, by: str) -> CallbackAnswer:
        """Move, change or settle an open one. Raises NotFound, Conflict (it is settled), BadInput (it is past)."""
        if change.due_at is not None:
            self._must_be_ahead(change.due_at)
        before = await self._store.get(callback_id)
        after = await self._store.change(
            callback_id,
            change,
            by=by,
            raised=self._raise_of(before.campaign_id),
            at=self._clock.now(),
            works=self._follow,
        )
        return CallbackAnswer(callback=after, warnings=await self._warnings(after) if after.open else ())

    async def get(self, callback_id: int) -> Callback:
        """Return one. Raises NotFound."""
        return await self._store.get(callback_id)

    async def find(self, wanted: CallbackFilter) -> Sequence[Callback]:
        """List callbacks, the soonest first."""
        return await self._store.find(wanted)

    async def history(self, callback_id: int) -> Sequence[CallbackMove]:
        """List what happened to one, oldest first."""
        return await self._store.history(callback_id)

    def _must_be_ahead(self, due_at: datetime) -> None:
        if due_at <= self._clock.now():
            raise BadInput(f"the time of the callback is over: {due_at:%Y-%m-%d %H:%M} UTC")

    def _raise_of(self, campaign_id: int) -> int:
        return CALLBACK_RAISE if self._campaign(campaign_id).rules.order.callbacks_first else 0

    async def _warnings(self, one: Callback) -> tuple[str, ...]:
        return (*await self._clashes(one), *await self._forbidden(one))

    async def _clashes(self, one: Callback) -> list[str]:
        if one.agent_id is None:
            return []
        near = CallbackFilter(
            agent_id=one.agent_id,
            since=one.due_at - self._clash + timedelta(microseconds=1),
            until=one.due_at + self._clash,
        )
        return [
            f"callback {other.id} of the same agent is at {other.due_local:%Y-%m-%d %H:%M} {other.zone}"
            for other in await self._store.find(near)
            if other.id != one.id
        ]

    async def _forbidden(self, one: Callback) -> list[str]:
        """Ask the gate as if it were that time: what it refuses then by the hour or for good is told now."""
        campaign = self._campaign(one.campaign_id)
        standings = await self._reasons.standings(contact_id=one.contact_id)
        mine = [each.candidate for each in standings if each.candidate.entry_id == one.entry_id]
        verdicts = await self._gate.ask(campaign, [each for each in mine if each.number], one.due_at)
        return [
            f"at that time he may not be called: {verdict.detail or verdict.reason}"
            for verdict in verdicts
            if not verdict.allowed
        ]
