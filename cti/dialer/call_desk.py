"""What people do with calls: look at those that are up, say how one went."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from cti.bus import EventBus
from cti.dialer.call_ports import CallStore
from cti.dialer.exchange_ports import OpenCalls
from cti.dialer.retry import done_after_one
from cti.errors import NotFound
from cti.model.calls import Call
from cti.model.campaign_rules import MaterialRules
from cti.model.dictionaries import DictionaryKind, Meaning
from cti.model.events import DispositionSet, Event, MaterialRequested
from cti.model.standing import Plan
from cti.model.telling import Tell, tell_nobody
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
        material: Callable[[int], MaterialRules] = lambda campaign_id: MaterialRules(),
        tell: Tell = tell_nobody,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        """`material`: a campaign's rules of what is sent after a disposition; `tell`: who outside is to hear of one;
        `follow`: which work it leaves behind."""
        self._follow = follow
        self._store = store
        self._open = open_calls
        self._bus = bus
        self._dispositions = dispositions
        self._do_not_call = do_not_call
        self._plan = plan
        self._material = material
        self._tell = tell
        self._on_work = on_work

    def open_calls(self) -> Sequence[Call]:
        """List the calls that have not ended, oldest first."""
        return self._open.open_calls()

    async def set_disposition(
        self, call_id: str, *, agent_id: int | None, disposition: str, note: str, at: datetime
    ) -> None:
        """Store the agent's verdict and tell it. Raises NotFound, BadInput for a code that may not be chosen.

        One that means do-not-call lists the number first: should the service die between the two, the verdict is
        missing and is asked for again, and nobody is called meanwhile. Where the campaign's rules ask for material
        after it, that is told as well, but not when only the note is changed.
        """
        call = await self._store.get(call_id)
        if call is None:
            raise NotFound(f"there is no call {call_id}")
        campaigns = [] if call.campaign_id is None else [call.campaign_id]
        self._dispositions.must_be_usable(DictionaryKind.DISPOSITIONS, disposition, campaigns, note=note)
        if self._dispositions.means(Meaning.DO_NOT_CALL, call.campaign_id, disposition):
            who = "a lead" if agent_id is None else f"agent {agent_id}"
            await self._do_not_call.add([call.number], reason=f"disposition {disposition}", by=who)
        said = DispositionSet(
            call_id=call_id,
            agent_id=agent_id,
            disposition=disposition,
            note=note,
            at=at,
            campaign_id=call.campaign_id,
            contact_id=call.contact_id,
        )

        def events(before: str | None) -> list[Event]:
            return [said] if before == disposition else [said, *self._asked_for(call, said)]

        before = await self._store.set_disposition(
            call_id,
            agent_id=agent_id,
            disposition=disposition,
            note=note,
            at=at,
            plan=self._plan,
            works=lambda before: [
                *(work for event in events(before) for work in self._tell(event)),
                *self._follow(call, at),
            ],
        )
        self._on_work()
        for event in events(before):
            self._bus.publish(event)

    def _asked_for(self, call: Call, said: DispositionSet) -> list[MaterialRequested]:
        """Return what is to be sent after a disposition."""
        if call.campaign_id is None:
            return []
        rule = self._material(call.campaign_id).by_disposition.get(said.disposition)
        if rule is None:
            return []
        asked = MaterialRequested(
            call_id=call.id,
            contact_id=call.contact_id,
            campaign_id=call.campaign_id,
            agent_id=said.agent_id,
            disposition=said.disposition,
            template=rule.template,
            channel=rule.channel,
            number=call.number,
            crm_ref=call.crm_ref,
            at=said.at,
        )
        return [asked]
