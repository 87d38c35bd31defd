"""`HookStore` and `LinkStore` on the database."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.errors import Conflict, NotFound
from cti.model.webhooks import Delivery, DeliveryFilter, DeliveryState, Webhook, WebhookState
from cti.model.work import NewWork
from cti.storage import tables
from cti.storage.connections import Connections, Upsert
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_hooks, _deliveries, _links = tables.webhooks.c, tables.webhook_deliveries.c, tables.used_links.c
_ALL: Final = select(tables.webhooks).order_by(_hooks.id)
_KNOWN: Final = select(_hooks.id).where(_hooks.id.in_(bindparam("ids", expanding=True)))
_COLUMNS: Final = tuple(_deliveries[field.name] for field in fields(Delivery))
_COUNT: Final = (
    select(_deliveries.state, func.count())
    .where(_deliveries.webhook_id == bindparam("webhook"))
    .group_by(_deliveries.state)
)
_AGAIN: Final = (
    update(tables.webhook_deliveries)
    .where(_deliveries.id.in_(bindparam("ids", expanding=True)))
    .values(state=DeliveryState.WAITING.value, attempts=0, error=None, status=None)
)


class SqlHooks:
    """Webhooks and their deliveries."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._works = WorkWriter(connections)
        self._note = _note(connections)

    @to_the_end
    async def webhooks(self) -> list[Webhook]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [_webhook(row) for row in (await connection.execute(_ALL)).mappings()]

    @to_the_end
    async def add(self, webhook: Webhook) -> Webhook:
        """See the port."""
        async with self._connections.writing() as connection:
            await _name_is_free(connection, webhook.name, 0)
            row = insert(tables.webhooks).values(_values(webhook)).returning(_hooks.id)
            return replace(webhook, id=(await connection.execute(row)).scalar_one())

    @to_the_end
    async def save(self, webhook: Webhook) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            await _name_is_free(connection, webhook.name, webhook.id)
            change = update(tables.webhooks).where(_hooks.id == webhook.id).values(_values(webhook))
            if (await connection.execute(change)).rowcount == 0:
                raise NotFound(f"there is no webhook {webhook.id}")

    @to_the_end
    async def remove(self, webhook_id: int) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            await connection.execute(
                delete(tables.webhook_deliveries).where(_deliveries.webhook_id == webhook_id)
            )
            gone = await connection.execute(delete(tables.webhooks).where(_hooks.id == webhook_id))
            if gone.rowcount == 0:
                raise NotFound(f"there is no webhook {webhook_id}")

    @to_the_end
    async def note(self, deliveries: Sequence[Delivery]) -> None:
        """See the port."""
        if not deliveries:
            return
        async with self._connections.writing() as connection:
            asked = {"ids": sorted({one.webhook_id for one in deliveries})}
            known = set((await connection.execute(_KNOWN, asked)).scalars())
            # in one order for all, so that no two writers deadlock
            ordered = sorted(deliveries, key=lambda one: (one.webhook_id, one.event_id))
            rows = [asdict(one) | {"state": one.state.value} for one in ordered if one.webhook_id in known]
            if rows:
                await connection.execute(self._note, rows)

    @to_the_end
    async def deliveries(self, wanted: DeliveryFilter) -> list[Delivery]:
        """See the port."""
        question = _wanted(select(*_COLUMNS), wanted).order_by(_deliveries.at.desc(), _deliveries.id.desc())
        async with self._connections.reading() as connection:
            rows = (await connection.execute(question.limit(wanted.limit))).mappings().all()
        return [_delivery(row) for row in rows]

    @to_the_end
    async def replay(
        self,
        wanted: DeliveryFilter,
        *,
        event_ids: Collection[str] | None = None,
        work_of: Callable[[Delivery], NewWork],
        now: datetime,
    ) -> int:
        """See the port."""
        question = _wanted(select(_deliveries.id.label("row_id"), *_COLUMNS), wanted)
        question = question.where(_deliveries.state != DeliveryState.WAITING.value)
        if event_ids is not None:
            question = question.where(_deliveries.event_id.in_(sorted(event_ids)))
        question = question.order_by(_deliveries.at, _deliveries.id).limit(wanted.limit)
        async with self._connections.writing() as connection:
            rows = (await connection.execute(question.with_for_update())).mappings().all()
            if rows:
                await connection.execute(_AGAIN, {"ids": [row["row_id"] for row in rows]})
                await self._works.write(connection, [work_of(_delivery(row)) for row in rows], now=now)
        return len(rows)

    @to_the_end
    async def count(self, webhook_id: int) -> dict[DeliveryState, int]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = (await connection.execute(_COUNT, {"webhook": webhook_id})).all()
        return {DeliveryState(row[0]): row[1] for row in rows}

    @to_the_end
    async def forget(self, *, before: datetime, limit: int) -> int:
        """See the port."""
        old = (
            select(_deliveries.id)
            .where(_deliveries.at < before, _deliveries.state != DeliveryState.WAITING.value)
            .order_by(_deliveries.at)
            .limit(limit)
        )
        async with self._connections.writing() as connection:
            ids = list((await connection.execute(old)).scalars())
            gone = delete(tables.webhook_deliveries).where(_deliveries.id.in_(ids))
            return (await connection.execute(gone)).rowcount if ids else 0


class SqlLinks:
    """Links that were used."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._use = connections.insert(tables.used_links).on_conflict_do_nothing(
            index_elements=[_links.nonce]
        )

    @to_the_end
    async def use(self, nonce: str, *, expires_at: datetime, at: datetime) -> bool:
        """See the port."""
        row = {"nonce": nonce, "expires_at": expires_at, "used_at": at}
        async with self._connections.writing() as connection:
            return (await connection.execute(self._use, row)).rowcount == 1

    @to_the_end
    async def unuse(self, nonce: str) -> None:
        """See the port."""
        async with self._connections.writing() as connection:
            await connection.execute(delete(tables.used_links).where(_links.nonce == nonce))

    @to_the_end
    async def forget(self, *, before: datetime) -> int:
        """See the port."""
        async with self._connections.writing() as connection:
            return (
                await connection.execute(delete(tables.used_links).where(_links.expires_at < before))
            ).rowcount


def _note(connections: Connections) -> Upsert:
    row = connections.insert(tables.webhook_deliveries)
    new = row.excluded
    moving = ("state", "status", "error", "milliseconds", "tried_at")
    # A delivery that was accepted stays so, whatever a slower attempt at the same event says of itself.
    accepted = (_deliveries.state == DeliveryState.DELIVERED.value) & (
        new.state != DeliveryState.DELIVERED.value
    )
    return row.on_conflict_do_update(
        index_elements=[_deliveries.webhook_id, _deliveries.event_id],
        set_={
            "attempts": _deliveries.attempts + new.attempts,
            **{name: case((accepted, _deliveries[name]), else_=new[name]) for name in moving},
        },
    )


def _wanted(question: Select[Any], wanted: DeliveryFilter) -> Select[Any]:
    question = question.where(_deliveries.webhook_id == wanted.webhook_id)
    if wanted.state is not None:
        question = question.where(_deliveries.state == wanted.state.value)
    if wanted.type is not None:
        question = question.where(_deliveries.type == wanted.type)
    if wanted.since is not None:
        question = question.where(_deliveries.at >= wanted.since)
    if wanted.until is not None:
        question = question.where(_deliveries.at < wanted.until)
    return question


async def _name_is_free(connection: AsyncConnection, name: str, own_id: int) -> None:
    if await connection.scalar(select(_hooks.id).where(_hooks.name == name, _hooks.id != own_id)):
        raise Conflict(f"there is a webhook {name!r} already")


def _values(webhook: Webhook) -> dict[str, Any]:
    values = {field.name: getattr(webhook, field.name) for field in fields(webhook) if field.name != "id"}
    lists = {name: list(values[name]) for name in ("events", "campaign_ids")}
    return values | lists | {"state": webhook.state.value}


def _webhook(row: Mapping[str, Any] | Any) -> Webhook:
    values = {field.name: row[field.name] for field in fields(Webhook)}
    lists = {name: tuple(values[name]) for name in ("events", "campaign_ids")}
    return Webhook(**values | lists | {"state": WebhookState(values["state"])})


def _delivery(row: Mapping[str, Any] | Any) -> Delivery:
    values = {field.name: row[field.name] for field in fields(Delivery)}
    return Delivery(**values | {"state": DeliveryState(values["state"])})
