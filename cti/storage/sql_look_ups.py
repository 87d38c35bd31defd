"""`LookUpStore` on the database: numbers that CRMs are asked for, and what they answered."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import Select, and_, bindparam, delete, exists, select, tuple_, update

from cti.crm.look_up_ports import Key
from cti.model.look_ups import Found, LookUp
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.uninterrupted import to_the_end

_asked = tables.crm_look_ups.c
_FOUND: Final = TypeAdapter(Found)
_NOTHING: Final = _FOUND.dump_python(Found(), mode="json")
_KEY: Final = and_(_asked.target == bindparam("of_target"), _asked.number == bindparam("of_number"))
_OPEN: Final = and_(
    _asked.target == bindparam("of_target"),
    _asked.taken_at.is_(None),
    _asked.answered_at.is_(None),
    _asked.asked_at >= bindparam("since"),
)
_IS_ASKED: Final = select(exists().where(_OPEN))
_IN_TURN: Final = (
    select(_asked.number)
    .where(_OPEN)
    .order_by(_asked.asked_at, _asked.number)
    .limit(bindparam("at_most"))
    # of two processes each takes others; SQLite needs no row locks, it has one writer
    .with_for_update(skip_locked=True)
    .cte("in_turn")
)
_TAKE: Final = (
    update(tables.crm_look_ups)
    .where(_asked.target == bindparam("of_target"), _asked.number.in_(select(_IN_TURN.c.number)))
    .values(taken_at=bindparam("at"))
    .returning(_asked.target, _asked.number, _asked.asked_at)
)
_ANSWER: Final = (
    update(tables.crm_look_ups)
    .where(_KEY)
    .values(answered_at=bindparam("at"), found=bindparam("what", type_=_asked.found.type))
)
_HAS_ANSWERS: Final = select(exists().where(_asked.answered_at.is_not(None)))
_COLLECT: Final = (
    delete(tables.crm_look_ups)
    .where(_asked.answered_at.is_not(None))
    .returning(_asked.target, _asked.number, _asked.found)
)
_FORGET: Final = delete(tables.crm_look_ups).where(_asked.asked_at < bindparam("before"))


class SqlLookUps:
    """Questions and answers."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        row = connections.insert(tables.crm_look_ups)
        self._ask = row.on_conflict_do_update(
            index_elements=[_asked.target, _asked.number],
            set_={name: row.excluded[name] for name in ("asked_at", "taken_at", "answered_at", "found")},
        )

    @to_the_end
    async def ask(self, keys: Sequence[Key], *, at: datetime) -> None:
        """See the port."""
        unanswered = {"asked_at": at, "taken_at": None, "answered_at": None, "found": _NOTHING}
        rows = [{"target": target, "number": number, **unanswered} for target, number in sorted(set(keys))]
        if rows:
            async with self._connections.writing() as connection:
                await connection.execute(self._ask, rows)

    @to_the_end
    async def take(self, target: str, *, since: datetime, at: datetime, limit: int) -> list[LookUp]:
        """See the port."""
        wanted = {"of_target": target, "since": since, "at": at, "at_most": limit}
        async with self._connections.writing_once() as connection:
            rows = (await connection.execute(_TAKE, wanted)).all()
        taken = [LookUp(target=row.target, number=row.number, asked_at=row.asked_at) for row in rows]
        return sorted(taken, key=lambda one: (one.asked_at, one.number))

    @to_the_end
    async def is_asked(self, target: str, *, since: datetime) -> bool:
        """See the port."""
        return await self._is(_IS_ASKED, of_target=target, since=since)

    @to_the_end
    async def answer(self, target: str, number: str, found: Found, *, at: datetime) -> None:
        """See the port."""
        what = _FOUND.dump_python(found, mode="json")
        said = {"of_target": target, "of_number": number, "at": at, "what": what}
        async with self._connections.writing_once() as connection:
            await connection.execute(_ANSWER, said)

    @to_the_end
    async def collect(self) -> dict[Key, Found]:
        """See the port. Looks before it writes: it is asked several times before there is an answer."""
        if not await self._is(_HAS_ANSWERS):
            return {}
        async with self._connections.writing_once() as connection:
            rows = (await connection.execute(_COLLECT)).all()
        return {(row.target, row.number): _FOUND.validate_python(row.found) for row in rows}

    @to_the_end
    async def withdraw(self, keys: Collection[Key]) -> set[Key]:
        """See the port."""
        if not keys:
            return set()
        gone = (
            delete(tables.crm_look_ups)
            .where(tuple_(_asked.target, _asked.number).in_(sorted(keys)))
            .returning(_asked.target, _asked.number, _asked.taken_at)
        )
        async with self._connections.writing_once() as connection:
            rows = (await connection.execute(gone)).all()
        return {(row.target, row.number) for row in rows if row.taken_at is None}

    @to_the_end
    async def forget(self, *, before: datetime) -> int:
        """See the port."""
        async with self._connections.writing_once() as connection:
            return (await connection.execute(_FORGET, {"before": before})).rowcount

    async def _is(self, question: Select[Any], **asked: Any) -> bool:
        async with self._connections.glancing() as connection:
            return bool(await connection.scalar(question, asked))
