"""What people do with CRMs that calls are written to: see how they stand, see to dead letters, push a call again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cti.clock import Clock
from cti.crm.feed import TableFeed
from cti.crm.follow_ups import follow_kind
from cti.crm.ports import CrmStore, LinkCounts
from cti.crm.reconcile_desk import ReconcileDesk
from cti.crm.targets import ASKED_FOR, Target, kind_of, unknown
from cti.errors import NotFound
from cti.model.crm import CRM_PUSH, Answer, Link, TargetStanding
from cti.model.crm_reconciliation import Reconciliation
from cti.model.follow_ups import CRM_FOLLOW_UP, contact_of
from cti.model.work import NewWork, Work
from cti.work.ports import WorkCounts, WorkStore

MOST_DEAD: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    """How a target stands."""

    target: str
    adapter: str
    standing: TargetStanding
    waiting: int
    under_way: int
    dead: int
    written: int
    unsure: int
    deleted: int
    oldest_waiting_seconds: float | None
    """Since when the call is due that waits longest; None: none is due."""
    reconciled: Reconciliation | None
    """The last reconciliation that came to an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A call or a follow-up that is not written any more until somebody says so."""

    id: int
    target: str
    what: str = "call"
    """`call` or `follow_up`."""
    call_id: str | None = None
    callback_id: int | None = None
    contact_id: int | None = None
    """Of a follow-up of the contact's own."""
    runs: int
    error: str


class CrmDesk:
    """CRMs, as people see them."""

    def __init__(
        self,
        *,
        works: WorkStore,
        store: CrmStore,
        feed: TableFeed,
        targets: Sequence[Target],
        adapters: Mapping[str, str],
        clock: Clock,
        reconciliations: ReconcileDesk,
        process: Callable[[], bool | None] = lambda: None,
    ) -> None:
        """`adapters`: by target; `process`: whether ours runs, None: others run it."""
        self.feed = feed
        self.reconciliations = reconciliations
        self._works = works
        self._store = store
        self._targets = {target.name: target for target in targets}
        self._adapters = dict(adapters)
        self._clock = clock
        self._process = process

    def process(self) -> bool | None:
        """Whether the process that writes runs beside us; None: it is none of ours."""
        return self._process()

    async def report(self) -> list[TargetReport]:
        """Return how each target stands, in the order of the settings."""
        counts = {one.kind: one for one in await self._works.counts()}
        links = {one.target: one for one in await self._store.link_counts()}
        standings = {one.target: one for one in await self._store.standings()}
        reconciled = await self.reconciliations.latest()
        return [
            self._report(
                name,
                standings.get(name, TargetStanding(target=name)),
                counts.get(kind_of(name)),
                links.get(name, LinkCounts(target=name, written=0, unsure=0, deleted=0)),
                await self._oldest_seconds(name),
                reconciled.get(name),
            )
            for name in self._targets
        ]

    async def _oldest_seconds(self, name: str) -> float | None:
        now = self._clock.now()
        queue = await self._works.queue(kind=kind_of(name), now=now, since=now)
        return (now - queue.oldest_due_at).total_seconds() if queue.oldest_due_at else None

    def _report(
        self,
        name: str,
        standing: TargetStanding,
        counts: WorkCounts | None,
        links: LinkCounts,
        oldest_seconds: float | None,
        reconciled: Reconciliation | None,
    ) -> TargetReport:
        return TargetReport(
            target=name,
            adapter=self._adapters.get(name, ""),
            standing=standing,
            waiting=counts.waiting if counts else 0,
            under_way=counts.leased if counts else 0,
            dead=counts.dead if counts else 0,
            written=links.written,
            unsure=links.unsure,
            deleted=links.deleted,
            oldest_waiting_seconds=oldest_seconds,
            reconciled=reconciled,
        )

    async def dead(self, *, target: str | None = None, limit: int = 100) -> list[DeadLetter]:
        """List dead letters of one target or all, newest first. Raises NotFound."""
        names = [self._known(target).name] if target else list(self._targets)
        letters = [
            work
            for name in names
            for kind in (kind_of(name), follow_kind(name))
            for work in await self._works.dead(kind=kind, limit=limit)
        ]
        return [_letter(work) for work in letters[:limit]]

    async def replay(self, work_id: int) -> None:
        """Have a dead letter tried again. Raises NotFound."""
        await self._must_be_ours(work_id)
        if not await self._works.revive(work_id, now=self._clock.now()):
            raise NotFound(f"there is no dead letter {work_id}")

    async def replay_all(self, *, target: str | None = None) -> int:
        """Have all dead letters tried again; return how many. Raises NotFound."""
        letters = await self.dead(target=target, limit=MOST_DEAD)
        return sum([await self._works.revive(letter.id, now=self._clock.now()) for letter in letters])

    async def discard(self, work_id: int) -> None:
        """Give a dead letter up for good. Raises NotFound."""
        await self._must_be_ours(work_id)
        if not await self._works.discard(work_id, now=self._clock.now()):
            raise NotFound(f"there is no dead letter {work_id}")

    async def push(self, call_id: str, *, target: str | None = None) -> list[str]:
        """Have a call written again, even where nothing changed; return the targets. Raises NotFound.

        What a user deleted there stays deleted.
        """
        if call_id not in await self._store.logs([call_id]):
            raise NotFound(f"there is no call {call_id} that has ended")
        names = [self._known(target).name] if target else list(self._targets)
        now = self._clock.now()
        for name in names:
            link = (await self._store.links(name, [call_id])).get(call_id)
            if link is not None and link.fingerprint:
                await self._store.put_links([_forgotten(link)])
        works = [
            NewWork(kind=kind_of(name), key=call_id, payload={"call_id": call_id}, priority=ASKED_FOR)
            for name in names
        ]
        await self._works.add(works, now=now)
        return names

    async def links(self, call_id: str) -> list[Link]:
        """Return what is remembered of a call at each target that knows it."""
        found = [(await self._store.links(name, [call_id])).get(call_id) for name in self._targets]
        return [link for link in found if link is not None]

    async def resume(self, target: str) -> TargetStanding:
        """Let a target that was stopped, or pauses, go on at once. Raises NotFound."""
        return await self.feed.checked(self._known(target).name, Answer.OK, "")

    def _known(self, name: str) -> Target:
        if name not in self._targets:
            raise unknown(name, self._targets)
        return self._targets[name]

    async def _must_be_ours(self, work_id: int) -> None:
        """Dead letters of other kinds have other desks."""
        for name in self._targets:
            for kind in (kind_of(name), follow_kind(name)):
                if any(work.id == work_id for work in await self._works.dead(kind=kind, limit=MOST_DEAD)):
                    return
        raise NotFound(f"there is no dead letter {work_id}")


def _letter(work: Work) -> DeadLetter:
    follows = work.kind.startswith(CRM_FOLLOW_UP)
    contact_id = contact_of(work.key) if follows else None
    return DeadLetter(
        id=work.id,
        target=work.kind.removeprefix(CRM_FOLLOW_UP if follows else CRM_PUSH),
        what="follow_up" if follows else "call",
        call_id=None if follows else work.key,
        callback_id=int(work.key) if follows and contact_id is None else None,
        contact_id=contact_id,
        runs=work.attempts,
        error=work.error or "",
    )


def _forgotten(link: Link) -> Link:
    """Return the link without the memory of what was sent, so that it is sent again."""
    return replace(link, fingerprint="")
