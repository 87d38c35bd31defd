"""What reconciling CRMs needs of storage, and what a process that carries it out is given."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from cti.model.crm import Answer, Rate
from cti.model.crm_reconciliation import (
    Finding,
    FindingKind,
    OurCall,
    OurPage,
    PageResult,
    ReconcileOrder,
    Reconciliation,
    RunState,
)


class ReconciliationStore(Protocol):
    """Runs and what they found. Every method is one transaction."""

    async def order(self, run: Reconciliation, *, now: datetime) -> Reconciliation:
        """Write a run and its work; return it with its number."""
        ...

    async def order_if_due(
        self, run: Reconciliation, *, every: timedelta, now: datetime
    ) -> Reconciliation | None:
        """Write a regular run unless one of the target waits, is under way, or was ordered within that time."""
        ...

    async def run(self, run_id: int) -> Reconciliation | None:
        """Return a run."""
        ...

    async def runs(
        self, *, target: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[Reconciliation]:
        """List runs, newest first, from the one before that number on."""
        ...

    async def latest(self) -> Mapping[str, Reconciliation]:
        """Return the last run of each target that came to an end."""
        ...

    async def begin(self, run_id: int, *, now: datetime) -> Reconciliation | None:
        """Write that it is under way; None when there is no such run, or it is over."""
        ...

    async def busy(self, target: str, call_ids: Sequence[str]) -> set[str]:
        """Return the calls for which work waits, is under way, or is a dead letter, or was given up for good since
        they were last written."""
        ...

    async def known(self, call_ids: Sequence[str]) -> set[str]:
        """Return which of these are calls of ours."""
        ...

    async def found(self, run_id: int, page: PageResult, *, now: datetime) -> Reconciliation:
        """Write down what a page brought: findings, what is remembered from now on, work, how far the run is.

        What is about a call whose link or work has changed since it was looked at is left out: nothing of it is
        written. Raises NotFound.
        """
        ...

    async def end(self, run_id: int, state: RunState, message: str, *, keep: int, now: datetime) -> None:
        """Write how it ended, or why it waits; of a target's runs that are over the last `keep` are kept."""
        ...

    async def findings(
        self, run_id: int, *, kind: FindingKind | None = None, after: int = 0, limit: int = 100
    ) -> list[tuple[int, Finding]]:
        """List findings with their numbers, from the one after that number on."""
        ...


class RunFeed(Protocol):
    """Where runs and our side of them come from, and findings go.

    All methods raise CtiError when it cannot be reached, and Conflict when a run is no longer whose who asks.
    """

    async def take(self, name: str, *, every: timedelta, span: timedelta) -> ReconcileOrder | None:
        """Lease a run of a target, ordering a regular one when it is time; None when there is none.

        `every` 0: none is regular. `span`: how far back a regular one looks.
        """
        ...

    async def page(self, order: ReconcileOrder, *, limit: int) -> OurPage:
        """Return the next calls that have ended, as they would be written now."""
        ...

    async def calls(self, order: ReconcileOrder, call_ids: Sequence[str]) -> tuple[OurCall, ...]:
        """Return those of the calls that have ended, as they are now."""
        ...

    async def known(self, order: ReconcileOrder, call_ids: Sequence[str]) -> set[str]:
        """Return which of these are calls of ours."""
        ...

    async def spend(
        self, order: ReconcileOrder, *, rate: Rate, requests: int = 1, stand_back: bool = False
    ) -> float:
        """Take requests out of the account's budget; return 0, or after how many seconds to ask again.

        `stand_back`: nothing is had while calls are due to be written.
        """
        ...

    async def found(self, order: ReconcileOrder, page: PageResult) -> ReconcileOrder:
        """Hand in what a page brought; return the order as it goes on."""
        ...

    async def end(self, order: ReconcileOrder, state: RunState, message: str) -> None:
        """Say that a run is over."""
        ...

    async def postpone(
        self,
        order: ReconcileOrder,
        *,
        seconds: float,
        message: str,
        answer: Answer = Answer.OK,
        pause_seconds: float | None = None,
    ) -> None:
        """Give a run back, to be gone on with after so many seconds. `answer`: how the CRM refused."""
        ...
