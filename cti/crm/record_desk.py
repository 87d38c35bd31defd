"""Lets a rep say which record of a CRM a call belongs to: the one that he chose of those that were offered, or found
himself. The call's log lands there. Nothing is chosen for him.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

from cti.bus import EventBus
from cti.clock import Clock
from cti.crm.ports import CrmStore
from cti.crm.targets import CallFollowers
from cti.errors import BadInput, Conflict, NotFound
from cti.model.calls import Call
from cti.model.crm import record_ref
from cti.model.events import Event
from cti.model.look_ups import names_a_record
from cti.model.work import NewWork

ALSO: Final = ("crm_contact", "crm_customer", "crm_deal")
"""What a call may have been written on that names no record itself: his contact's. Which of these a mapping uses is
not known here."""


class CallStore(Protocol):
    """Calls, as far as they name a record; see `cti.dialer.call_ports`."""

    async def get(self, call_id: str) -> Call | None: ...
    async def set_record(
        self, call_id: str, crm_ref: str, *, at: datetime, works: Callable[[Call], Sequence[NewWork]]
    ) -> Call: ...


class OpenCalls(Protocol):
    """Calls that have not ended, as they are followed."""

    def linked(self, call_id: str, crm_ref: str, at: datetime) -> Sequence[Event]:
        """Take note of the record of a call that is up. Returns what is to be published."""
        ...


class RecordDesk:
    """Records that reps choose."""

    def __init__(
        self,
        *,
        calls: CallStore,
        links: CrmStore,
        open_calls: OpenCalls,
        targets: Sequence[str],
        followers: CallFollowers,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._links = links
        self._open = open_calls
        self._targets = tuple(targets)
        self._followers = followers
        self._bus = bus
        self._clock = clock

    async def choose(self, call_id: str, crm_ref: str) -> Call:
        """Have the call's log land on this record; another one may be chosen until it is written.

        Raises NotFound, BadInput (no reference of a record of a CRM that there is), Conflict: the log stands on a
        record already, and is moved in the CRM alone.
        """
        self._must_be_ours(crm_ref)
        call = await self._calls.get(call_id)
        if call is None:
            raise NotFound(f"there is no call {call_id}")
        if call.ended:
            await self._must_not_stand(call)
        now = self._clock.now()
        chosen = await self._calls.set_record(
            call_id, crm_ref, at=now, works=lambda one: self._followers.disposed(one, now)
        )
        for event in self._open.linked(call_id, crm_ref, now):
            self._bus.publish(event)
        return chosen

    def _must_be_ours(self, crm_ref: str) -> None:
        record_ref(crm_ref, target="")  # raises BadInput for what is no reference at all
        if not names_a_record(crm_ref, self._targets):
            known = ", ".join(self._targets) or "none"
            raise BadInput(f"crm_ref: {crm_ref!r} is of no CRM that there is; there are: {known}")

    async def _must_not_stand(self, call: Call) -> None:
        """Refuse a call that is written on the record it named before. One that was written without may get one."""
        facts = (await self._links.logs([call.id])).get(call.id)
        named = [facts.crm_ref, *(getattr(facts, name) for name in ALSO)] if facts else [call.crm_ref]
        for target in self._targets:
            before = next((one for one in named if names_a_record(one, [target])), None)
            if before is None:
                continue
            link = (await self._links.links(target, [call.id])).get(call.id)
            if link is not None and (link.version or link.unsure):
                raise Conflict(f"the call stands in {target} on {before} already; move it there")
