"""Actions on many contacts: tried out, begun, carried out in bites, undone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cti.clock import Clock
from cti.contacts.bulk_plans import Argument, Judged, judged, taken_back
from cti.contacts.bulk_ports import BulkStore, Given, Judge, Owners
from cti.contacts.changes import Change, Subject
from cti.contacts.conditions import condition_of, condition_record
from cti.contacts.desk import Asking
from cti.contacts.settling import Viewer, settled
from cti.errors import BadInput, Conflict
from cti.model.bulk import BulkAction, BulkKind, BulkOrder, BulkState, WhyNot
from cti.model.conditions import EVERYTHING, Condition
from cti.model.work import Work

BITE: Final = 100
"""Contacts changed with one commit, for which calls' writes wait on SQLite: some 35 ms on a busy machine."""
PAUSE_SECONDS: Final = 0.01
"""Between bites, so that others come to write."""
FIND: Final = 20_000
"""Contacts found with one question, for the bites that follow: it may cost the same however few are wanted."""
LOOK: Final = 1000
"""Contacts looked at together in a dry run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What an action would do now."""

    matched: int
    would: int
    left: Mapping[str, int]
    """Contacts that would stay as they are, by `WhyNot`."""


class BulkDesk:
    """Actions on many. What is begun is carried out by the work runner, also after a crash."""

    def __init__(
        self,
        *,
        store: BulkStore,
        clock: Clock,
        viewer: Callable[[Asking], Viewer],
        owners: Owners,
        on_work: Callable[[], None],
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._viewer = viewer
        self._owners = owners
        self._on_work = on_work
        self._pause_seconds = pause_seconds

    async def try_out(self, kind: BulkKind, argument: Argument, given: Any, asking: Asking) -> DryRun:
        """Count what would happen; nothing is changed. Raises BadInput."""
        condition = settled(condition_of(given, where="condition"), self._viewer(asking))
        if kind is BulkKind.ASSIGN:
            return await self._try_giving(argument, condition, by=asking.name)
        at, counted = self._clock.now(), Counter[str]()
        async for ids in self._found(condition):
            for subject in await self._store.look(ids):
                verdict = judged(kind, subject, {"list": 0, **argument}, at)
                counted[verdict.value if isinstance(verdict, WhyNot) else _WOULD] += 1
            await asyncio.sleep(0)
        return _tried(counted)

    async def _found(self, condition: Condition) -> AsyncIterator[Sequence[int]]:
        """Give the ids of all that the condition finds, some at a time."""
        after = 0
        while found := await self._store.next_ids(condition, after=after, last=None, limit=FIND):
            for start in range(0, len(found), LOOK):
                yield found[start : start + LOOK]
            after = found[-1]

    async def _try_giving(self, argument: Argument, condition: Condition, *, by: str) -> DryRun:
        counted = Counter[str]()
        async for ids in self._found(condition):
            given = await self._give(ids, argument, by=by, dry_run=True)
            counted.update({_WOULD: given.given, **given.left})
        return _tried(counted)

    async def _give(self, ids: Sequence[int], argument: Argument, *, by: str, dry_run: bool) -> Given:
        to, take_over = argument["owner"], argument["take_over"]
        return await self._owners.give(ids, to=to, take_over=take_over, by=by, dry_run=dry_run)

    async def begin(self, kind: BulkKind, argument: Argument, given: Any, asking: Asking) -> BulkAction:
        """Begin an action; it goes on by itself. Raises BadInput, Conflict (name of a list)."""
        condition = condition_of(given, where="condition")
        viewer = self._viewer(asking)
        seen_by = {"zone": viewer.zone.key, "me": viewer.me}
        order = BulkOrder(
            kind=kind,
            argument={**argument, "viewer": seen_by},
            condition=condition_record(condition),
            by=asking.name,
        )
        return await self._begin(order, settled(condition, viewer))

    async def undo(self, bulk_id: int, *, by: str) -> BulkAction:
        """Begin to take an action back, where nobody changed the contact since. Raises NotFound, Conflict."""
        action = await self._store.action(bulk_id)
        if action.kind is BulkKind.ASSIGN:
            raise Conflict(
                f"the action {bulk_id} gave contacts to an agent: every move of theirs is in their history"
            )
        if action.kind is BulkKind.UNDO:
            raise Conflict(f"the action {bulk_id} undid another one; begin that one anew")
        order = BulkOrder(
            kind=BulkKind.UNDO, argument={"action": action.kind.value}, condition={}, by=by, undoes=bulk_id
        )
        return await self._begin(order, EVERYTHING)

    async def _begin(self, order: BulkOrder, condition: Condition) -> BulkAction:
        action = await self._store.begin(order, condition, at=self._clock.now())
        self._on_work()
        return action

    async def must_know_list(self, list_id: int, campaign_id: int) -> None:
        """Raise BadInput unless the list belongs to the campaign."""
        if await self._store.campaign_of_list(list_id) != campaign_id:
            raise BadInput(f"list: the campaign has no list {list_id}")

    async def action(self, bulk_id: int) -> BulkAction:
        """Return how far an action has come. Raises NotFound."""
        return await self._store.action(bulk_id)

    async def actions(self, *, limit: int = 50, before: int | None = None) -> Sequence[BulkAction]:
        """List actions, newest first."""
        return await self._store.actions(limit=limit, before=before)

    async def carry_out(self, work: Work) -> None:
        """Go on with an action to its end: the handler of its work. Run twice it goes on where it stood."""
        action = await self._store.action(int(work.payload["id"]))
        condition, judge = self._settled_again(action), _judge(action)
        while action.state is BulkState.RUNNING:
            found = await self._next(action, condition)
            for start in range(0, max(len(found), 1), BITE):
                action = await self._bite(action, found[start : start + BITE], judge)
                await asyncio.sleep(self._pause_seconds)

    async def _next(self, action: BulkAction, condition: Condition) -> list[int]:
        """Find the next contacts, many at once."""
        if action.undoes is not None:
            return await self._store.changed_ids(action.undoes, after=action.position, limit=FIND)
        return await self._store.next_ids(condition, after=action.position, last=action.last_id, limit=FIND)

    async def _bite(self, action: BulkAction, ids: Sequence[int], judge: Judge) -> BulkAction:
        """Carry out one bite; none left ends the action."""
        if action.kind is not BulkKind.ASSIGN or not ids:
            return await self._store.bite(action.id, ids, judge, at=self._clock.now())
        # after a crash between these two commits the bite is given again, which moves nobody
        given = await self._give(ids, action.argument, by=action.by, dry_run=False)
        return await self._store.note(action.id, position=ids[-1], done=given.given, left=given.left)

    def _settled_again(self, action: BulkAction) -> Condition:
        """Return the condition as it was meant when the action was begun, however long ago that is."""
        seen_by = action.argument.get("viewer", {"zone": "UTC", "me": None})
        viewer = self._viewer(Asking(name=action.by, agent_id=seen_by["me"], zone=seen_by["zone"]))
        return settled(condition_of(action.condition), replace(viewer, now=action.at))


_WOULD: Final = ""


def _tried(counted: Counter[str]) -> DryRun:
    left = {reason: count for reason, count in counted.items() if reason != _WOULD}
    return DryRun(matched=counted.total(), would=counted[_WOULD], left=left)


def _judge(action: BulkAction) -> Judge:
    def judge(subject: Subject, before: Change | None) -> Judged:
        if before is not None:
            return taken_back(subject, before)
        return judged(action.kind, subject, action.argument, action.at)

    return judge


def must_be_whole(kind: BulkKind, argument: Argument) -> None:
    """Raise BadInput unless the argument has what the action needs."""
    for name in NEEDS[kind]:
        if argument.get(name) is None:
            raise BadInput(f"{name}: is missing; {kind} needs it")


NEEDS: Final[Mapping[BulkKind, tuple[str, ...]]] = {
    BulkKind.ASSIGN: ("owner",),
    BulkKind.TAG: ("tag",),
    BulkKind.UNTAG: ("tag",),
    BulkKind.STAGE: ("stage",),
    BulkKind.PRIORITY: ("priority",),
    BulkKind.MOVE: ("list",),
    BulkKind.STOP: (),
    BulkKind.REOPEN: (),
}
"""By what may be asked at the API, with the names of its arguments."""
