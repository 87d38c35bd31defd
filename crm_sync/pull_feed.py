"""Pulls, follow-ups and look-ups over the service's API: for a process that has no database of its own.

See `crm_sync.pull.Intake`, `crm_sync.follow_up.FollowFeed` and `crm_sync.look_up.LookUps`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from cti.crm.follow_up_wire import orders_of, settlements_record
from cti.crm.look_up_wire import answer_record as look_up_record
from cti.crm.look_up_wire import look_ups_of
from cti.crm.pull_wire import answer_record, order_of, standing_of
from cti.crm.wire import rate_record
from cti.crm.wire import standing_of as target_of
from cti.model.crm import Answer, Rate, TargetStanding
from cti.model.crm_pulls import PullAnswer, PullOrder, PullStanding, PullStep
from cti.model.follow_ups import FollowOrders, FollowSettlement
from cti.model.look_ups import LookUp, LookUpAnswer


class Post(Protocol):
    """Asks the service; see `crm_sync.feeds.ApiFeed.post`."""

    async def post(self, name: str, body: Mapping[str, Any]) -> Any: ...


class ApiIntake:
    """Asks the service. Raises what its session raises: Unreachable, Conflict, CtiError when it refuses."""

    def __init__(self, session: Post) -> None:
        self._session = session

    async def order(
        self, name: str, *, rate: Rate, after: PullStep = PullStep.NOTHING, more_requests: int = 0
    ) -> PullOrder:
        body = {
            "pull": name,
            "after": after.value,
            "rate": rate_record(rate),
            "more_requests": more_requests,
        }
        return order_of(await self._session.post("pull-order", body))

    async def take(self, name: str, answer: PullAnswer) -> PullStanding:
        body = {"pull": name, "answer": answer_record(answer)}
        return standing_of(await self._session.post("pull-take", body))

    async def failed(
        self,
        name: str,
        answer: Answer,
        message: str,
        *,
        pause_seconds: float | None = None,
        step: PullStep = PullStep.PAGE,
    ) -> PullStanding:
        body = {
            "pull": name,
            "answer": answer.value,
            "message": message[:2000],
            "pause_seconds": pause_seconds,
            "step": step.value,
        }
        return standing_of(await self._session.post("pull-failed", body))


class ApiFollowUps:
    """Asks the service. Raises as `ApiIntake`."""

    def __init__(self, session: Post) -> None:
        self._session = session

    async def take(self, name: str, *, limit: int, rate: Rate) -> FollowOrders:
        body = {"target": name, "limit": limit, "rate": rate_record(rate)}
        return orders_of(await self._session.post("follow-take", body))

    async def settle(
        self, name: str, settlements: Sequence[FollowSettlement], *, rate: Rate, more_requests: int = 0
    ) -> TargetStanding:
        body = {
            "target": name,
            "settlements": settlements_record(settlements),
            "rate": rate_record(rate),
            "more_requests": more_requests,
        }
        return target_of(await self._session.post("follow-settle", body))


class ApiLookUps:
    """Asks the service. Raises as `ApiIntake`."""

    def __init__(self, session: Post) -> None:
        self._session = session

    async def take(self, name: str, *, limit: int, rate: Rate, wait_seconds: float = 0.0) -> Sequence[LookUp]:
        body = {"target": name, "limit": limit, "rate": rate_record(rate), "wait_seconds": wait_seconds}
        return look_ups_of((await self._session.post("look-up-take", body))["look_ups"])

    async def answer(self, name: str, one: LookUpAnswer) -> None:
        await self._session.post("look-up-answer", {"target": name, "answer": look_up_record(one)})
