"""What people do with calls: look at those that are up, say how one went."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from cti.bus import EventBus
from cti.dialer.ports import CallStore, OpenCalls
from cti.dialer.retry import done_after_one
from cti.errors import NotFound
from cti.model.calls import Call
from cti.model.dictionaries import DictionaryKind, Meaning
from cti.model.events import DispositionSet
from cti.model.standing import Plan
from cti.model.work import NewWork


class Dispositions(Protocol):
    """The dictionary of dispositions."""

    def must_be_usable(
        self, kind: DictionaryKind, code: str, campaign_ids: Sequence[int] = (), *, note: str | None = None
    ) -> None:
        """Raise BadInput unless the code may be chosen."""
        ...

    def means(self, meaning: Meaning, campaign_id: int | None, disposition: str) -> bool:
        """Return whether a disposition means this in a campaign."""
        ...


class DoNotCall(Protocol):
    """The own do-not-call list."""

    async def add(self, numbers: Sequence[str], *, reason: str = "", by: str) -> int:
        """List numbers; those that are listed stay."""
        ...


class CallDesk:
    """Calls as people see them."""

    def __init__(
        self,
        *,
        store: CallStore,
        open_calls: OpenCalls,
        bus: EventBus,
        dispositions: Dispositions,
        do_not_call: DoNotCall,
        plan: Plan = done_after_one,
        follow: Callable[[Call, datetime], Sequence[NewWork]] = lambda _call, _at: (),
    ) -> None:
        """`follow` says which work a verdict leaves behind."""
        self._follow = follow
        self._store = store
        self._open = open_calls
        self._bus = bus
        self._dispositions = dispositions
        self._do_not_call = do_not_call
        self._plan = plan

    def open_calls(self) -> Sequence[Call]:
        """List the calls that have not ended, oldest first."""
        return self._open.open_calls()

    async def set_disposition(
        self, call_id: str, *, agent_id: int | None, disposition: str, note: str, at: datetime
    ) -> None:
        """Store the agent's verdict and tell it. Raises NotFound, BadInput for a code that may not be chosen.

        One that means do-not-call lists the number first: should the service die between the two, the verdict is
        missing and is asked for again, and nobody is called meanwhile.
        """
        call = await self._store.get(call_id)
        if call is None:
            raise NotFound(f"there is no call {call_id}")
        campaigns = [] if call.campaign_id is None else [call.campaign_id]
        self._dispositions.must_be_usable(DictionaryKind.DISPOSITIONS, disposition, campaigns, note=note)
        if self._dispositions.means(Meaning.DO_NOT_CALL, call.campaign_id, disposition):
            who = "a lead" if agent_id is None else f"agent {agent_id}"
            await self._do_not_call.add([call.number], reason=f"disposition {disposition}", by=who)
        await self._store.set_disposition(
            call_id,
            agent_id=agent_id,
            disposition=disposition,
            note=note,
            at=at,
            plan=self._plan,
            works=self._follow(call, at),
        )
        self._bus.publish(
            DispositionSet(call_id=call_id, agent_id=agent_id, disposition=disposition, note=note, at=at)
        )
