"""The proof of a reconciliation, over any CRM that reads back: differences planted by hand are found, and nothing else.

`prove` takes an adapter, the mapping that writes to it, and how a user deletes, doubles and changes a record past the
adapter. It brings calls into the CRM, plants, reconciles, and reconciles again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.port import Crm, Written
from crm_sync.push import TargetPusher
from crm_sync.reconcile import GRACE
from crm_sync.reconciler import Regular, TargetReconciler
from cti.crm.feed import TableFeed
from cti.crm.targets import CallFollowers, Target
from cti.model.calls import Call, CallState, Outcome
from cti.model.crm import RecordRef
from cti.model.crm_reconciliation import Finding, FindingKind, Reconciliation
from cti.model.ids import new_call_id
from cti.storage.database import Database
from tests.builders import NOW, a_call
from tests.fakes.clock import FakeClock
from tests.fakes.crm_parts import a_run_feed
from tests.fakes.memory_store import MemoryStore

SETTLED = timedelta(hours=1)
ON_ORDER = Regular(every=timedelta(0))


class Hands(Protocol):
    """What a user does there, past the adapter."""

    async def delete(self, remote: RecordRef) -> None: ...
    async def double(self, remote: RecordRef) -> RecordRef | None:
        """Make a second record as users do; return it when it bears the same mark, else None: it is theirs then."""
        ...

    async def change(self, remote: RecordRef) -> str:
        """Change one field that is written; return its name as findings tell it."""
        ...


@dataclass
class Bench:
    """A CRM with our side of it; time is ours, and nothing waits."""

    crm: Crm
    mapping: CrmMapping
    store: MemoryStore | Database
    clock: FakeClock
    crm_ref: str = "7"
    began: datetime = NOW
    sleeps: int = 0
    given: Target | None = None
    """The target; else one of the mapping's name that wants all calls."""

    def __post_init__(self) -> None:
        self.target = self.given or Target(name=self.mapping.target, settle=timedelta(0))
        self.follow = CallFollowers([self.target])
        self.feed = TableFeed(
            works=self.store.work,
            store=self.store.crm,
            targets=[self.target],
            clock=self.clock,
            chance=lambda: 1.0,
        )
        self.runs = a_run_feed(self.store, self.clock, targets=[self.target])

    async def call(self, **given: Any) -> Call:
        """Write a call that has ended, with its work."""
        values = {"id": new_call_id(self.began), "placed_at": self.began, "crm_ref": self.crm_ref}
        call = a_call(**values | given)
        await self.store.calls.place([(call, None)])
        ended = replace(
            call,
            state=CallState.ENDED,
            outcome=Outcome.CONNECTED,
            ended_at=call.placed_at + timedelta(seconds=60),
        )
        await self.store.calls.save([ended], works=self.follow.ended(ended))
        return ended

    async def push(self) -> None:
        """Write all that waits."""
        pusher = TargetPusher(
            target=self.target.name, crm=self.crm, mapping=self.mapping, feed=self.feed, clock=self.clock
        )
        await pusher.drain()

    async def dispose(self, call: Call, note: str, *, disposition: str = "sold") -> None:
        """Have an agent write a call up, later."""
        now = self.clock.now()
        await self.store.calls.set_disposition(
            call.id,
            agent_id=None,
            disposition=disposition,
            note=note,
            at=now,
            works=lambda before: self.follow.disposed(call, now),
        )

    async def lose_work(self) -> None:
        """Have rows of work vanish, as a database that was brought back from a copy does."""
        kinds = (self.target.kind,)
        now, lease = self.clock.now(), timedelta(seconds=60)
        works = await self.store.work.lease(kinds=kinds, limit=100, now=now, lease_for=lease)
        await self.store.work.finish_all(works, now=now)

    def reconciler(self, **given: Any) -> TargetReconciler:
        async def passes(seconds: float) -> None:
            self.sleeps += 1
            self.clock.advance(seconds)

        return TargetReconciler(
            target=self.target.name,
            crm=self.crm,
            mapping=self.mapping,
            feed=self.runs,
            clock=self.clock,
            **{"sleep": passes, "regular": ON_ORDER} | given,
        )

    async def reconcile(self, **given: Any) -> tuple[Reconciliation, list[Finding]]:
        """Order a run, carry it out, and return it with its findings."""
        now = self.clock.now()
        values = {"ordered_by": "test", "ordered_at": now, "since": self.began - timedelta(hours=1)}
        more = {name: given.pop(name) for name in ("page", "regular", "rate") if name in given}
        wish = Reconciliation(target=self.target.name, until=now, **values | given)
        ordered = await self.store.reconciliations.order(wish, now=now)
        reconciler = self.reconciler(**more)
        while await reconciler.step():
            run = await self.store.reconciliations.run(ordered.id)
            assert run is not None
            if run.state in ("done", "failed"):
                break
        run = await self.store.reconciliations.run(ordered.id)
        assert run is not None
        found = await self.store.reconciliations.findings(run.id, limit=1000)
        return run, [one for _, one in found]

    async def remote(self, call: Call) -> RecordRef:
        """Return what is known to stand there for a call."""
        link = (await self.store.crm.links(self.target.name, [call.id]))[call.id]
        assert link.remote is not None
        return link.remote

    async def there(self, call: Call) -> Sequence[Written]:
        """Return what stands there for a call."""
        return await self.crm.read_back([call.id])


def told(found: Sequence[Finding]) -> set[tuple[str, str]]:
    """Return findings as pairs of call and kind."""
    return {(one.call_id, one.kind.value) for one in found}


def told_of_ours(found: Sequence[Finding]) -> set[tuple[str, str]]:
    """Return them without those of other calls."""
    return {(call_id, kind) for call_id, kind in told(found) if kind != FindingKind.FOREIGN}


async def prove(bench: Bench, hands: Hands) -> Mapping[str, Call]:
    """Plant one deleted, one doubled, one changed and one that never came; return the calls by what was done.

    The CRM may have more that bears our mark: it is foreign to this store, and left out.
    """
    names = ("well", "deleted", "doubled", "changed", "also_well")
    calls = {name: await bench.call() for name in names}
    await bench.push()
    calls["lost"] = await bench.call()
    await bench.lose_work()
    bench.clock.advance(SETTLED.total_seconds())
    assert GRACE < SETTLED
    await hands.delete(await bench.remote(calls["deleted"]))
    twin = await hands.double(await bench.remote(calls["doubled"]))
    field = await hands.change(await bench.remote(calls["changed"]))

    run, found = await bench.reconcile()

    assert run.state == "done", run.message
    expected = {"deleted": "deleted", "changed": "differing", "lost": "unwritten"}
    expected |= {"doubled": "double"} if twin else {}
    assert told_of_ours(found) == {(calls[name].id, kind) for name, kind in expected.items()}, found
    (differing,) = (one for one in found if one.kind == "differing")
    assert field in differing.fields
    assert run.looked >= len(calls)
    await _mended_by_itself(bench, calls, records=2 if twin else 1)
    await _mended_on_order(bench, calls, doubled=twin is not None)
    return calls


async def _mended_by_itself(bench: Bench, calls: Mapping[str, Call], *, records: int) -> None:
    await bench.push()
    assert len(await bench.there(calls["lost"])) == 1
    assert len(await bench.there(calls["doubled"])) == records, "told only"
    await bench.dispose(calls["deleted"], "later")
    await bench.push()
    assert list(await bench.there(calls["deleted"])) == [], "what a user deleted stays deleted"


async def _mended_on_order(bench: Bench, calls: Mapping[str, Call], *, doubled: bool) -> None:
    bench.clock.advance(SETTLED.total_seconds())
    double = {(calls["doubled"].id, "double")} if doubled else set()
    left = set() if bench.crm.capabilities.removes else double
    _, found = await bench.reconcile(mend=True, overwrite=True)
    assert told_of_ours(found) == double | {(calls["changed"].id, "differing")}, found
    await bench.push()
    assert len(await bench.there(calls["doubled"])) == (2 if left else 1)
    bench.clock.advance(SETTLED.total_seconds())
    _, found = await bench.reconcile()
    assert told_of_ours(found) == left, found
