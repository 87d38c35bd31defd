"""The service's side of the CRMs over a store in memory."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cti.ami.call_tracker import CallTracker
from cti.bus import EventBus
from cti.crm.desk import CrmDesk
from cti.crm.feed import TableFeed
from cti.crm.follow_ups import TableFollowUps
from cti.crm.intake import TableIntake
from cti.crm.look_ups import TableLookUps
from cti.crm.promises import PromiseKeeper
from cti.crm.pull_desk import PullDesk
from cti.crm.reconcile_desk import ReconcileDesk
from cti.crm.reconciling import TableReconciling
from cti.crm.record_desk import RecordDesk
from cti.crm.targets import CallFollowers, Target
from cti.model.crm_pulls import PullRules
from cti.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

TARGETS = (
    Target(
        name="odoo",
        settle=timedelta(seconds=10),
        recording_url="https://calls.example/{call_id}",
        transcript=True,
    ),
    Target(name="rest", outcomes=frozenset({"connected"}), settle=timedelta(0)),
)


async def texts(call_ids: Sequence[str]) -> dict[str, str]:
    """Return a transcript for each call."""
    return dict.fromkeys(call_ids, "customer: hello")


def a_feed(
    store: MemoryStore, clock: FakeClock, *, targets: Sequence[Target] = TARGETS, chance: float = 1.0
) -> TableFeed:
    """Build a feed whose pauses are as long as they may be."""
    return TableFeed(
        works=store.work,
        store=store.crm,
        targets=targets,
        clock=clock,
        texts=texts,
        chance=lambda: chance,
    )


PULLS = (
    PullRules(
        name="odoo-leads",
        target="odoo",
        source="leads",
        campaign="autumn",
        region="DE",
        recheck=timedelta(minutes=30),
        hold=True,
    ),
)


def an_intake(
    store: MemoryStore, clock: FakeClock, *, pulls: Sequence[PullRules] = PULLS, raise_by: int = 1000
) -> TableIntake:
    """Build an intake that makes callbacks, too."""
    promises = PromiseKeeper(
        store=store.pulls,
        callbacks=store.callbacks,
        campaigns=store.campaigns.campaigns,
        written=store.follow_ups.written,
        moved_there=store.follow_ups.moved_there,
        clock=clock,
        raise_by=raise_by,
    )
    return TableIntake(
        pulls=pulls,
        store=store.pulls,
        targets=store.crm,
        clock=clock,
        settle=promises.settle,
        chance=lambda: 1.0,
    )


def some_follow_ups(store: MemoryStore, clock: FakeClock) -> TableFollowUps:
    """Build a feed of follow-ups of the target `odoo`."""
    return TableFollowUps(
        works=store.work,
        store=store.follow_ups,
        targets=store.crm,
        names=("odoo",),
        clock=clock,
        chance=lambda: 1.0,
    )


def a_pull_desk(store: MemoryStore, clock: FakeClock) -> PullDesk:
    """Build a desk of one pull, `odoo-leads`."""
    return PullDesk(
        intake=an_intake(store, clock),
        follow_ups=some_follow_ups(store, clock),
        store=store.pulls,
        clock=clock,
    )


def a_run_feed(
    store: MemoryStore | Database, clock: FakeClock, *, targets: Sequence[Target] = TARGETS, **given: Any
) -> TableReconciling:
    """Build the side of reconciliations that has the tables."""
    feed = TableFeed(works=store.work, store=store.crm, targets=targets, clock=clock, texts=texts)
    return TableReconciling(
        works=store.work,
        store=store.crm,
        runs=store.reconciliations,
        feed=feed,
        targets=targets,
        clock=clock,
        chance=lambda: 1.0,
        **given,
    )


def some_look_ups(store: MemoryStore, clock: FakeClock, **given: Any) -> TableLookUps:
    """Build a feed of numbers that the targets are asked for."""
    return TableLookUps(
        **{"store": store.look_ups, "standings": store.crm, "works": store.work}
        | {"targets": TARGETS, "clock": clock, "chance": lambda: 1.0}
        | given
    )


def a_record_desk(
    store: MemoryStore, bus: EventBus, clock: FakeClock, tracker: CallTracker | None = None
) -> RecordDesk:
    """Build a desk at which records of the targets are chosen; `tracker` follows the calls that are up."""
    return RecordDesk(
        calls=store.calls,
        links=store.crm,
        open_calls=tracker or CallTracker(),
        targets=[target.name for target in TARGETS],
        followers=CallFollowers(TARGETS),
        bus=bus,
        clock=clock,
    )


def a_crm_desk(store: MemoryStore, clock: FakeClock) -> CrmDesk:
    """Build a desk of two targets, `odoo` and `rest`."""
    feed = a_feed(store, clock)
    return CrmDesk(
        works=store.work,
        store=store.crm,
        feed=feed,
        reconciliations=ReconcileDesk(
            runs=store.reconciliations,
            feed=a_run_feed(store, clock),
            targets=[target.name for target in TARGETS],
            clock=clock,
        ),
        targets=TARGETS,
        adapters={"odoo": "odoo", "rest": "rest"},
        clock=clock,
        process=lambda: True,
    )
