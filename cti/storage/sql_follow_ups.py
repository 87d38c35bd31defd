"""`FollowUpStore` on the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import String, bindparam, cast, or_, select

from cti.crm.follow_ups import follow_kind
from cti.model.callbacks import OPEN_CALLBACKS, CallbackState
from cti.model.follow_ups import FollowLink, FollowUp
from cti.storage import tables
from cti.storage.connections import Connections
from cti.storage.portable import one_of
from cti.storage.uninterrupted import to_the_end

_links, _callbacks, _agents = tables.crm_follow_ups.c, tables.callbacks.c, tables.agents.c
_work = tables.work.c
_PLAIN: Final = ("target", "callback_id", "contact_id", "ref", "remote", "agent_id", "written_at")
_OPEN: Final = sorted(state.value for state in OPEN_CALLBACKS)
_FACTS: Final = (
    select(
        _callbacks.id,
        _callbacks.contact_id,
        _callbacks.due_at,
        _callbacks.state,
        _callbacks.note,
        _callbacks.created_by,
        _callbacks.agent_id,
        tables.contacts.c.crm_ref,
        _agents.login,
        _agents.endpoint,
    )
    .join_from(tables.callbacks, tables.contacts, tables.contacts.c.id == _callbacks.contact_id)
    .outerjoin(tables.agents, _agents.id == _callbacks.agent_id)
    .where(one_of(_callbacks.id, "callback_ids"))
)
_LINKS: Final = select(tables.crm_follow_ups).where(
    _links.target == bindparam("of_target"), one_of(_links.callback_id, "callback_ids")
)
_ITS_WORK: Final = (_work.kind == bindparam("of_kind"), _work.key == cast(_callbacks.id, String))
_WORKED_ON: Final = select(_work.id).where(*_ITS_WORK, tables.not_done).correlate(tables.callbacks).exists()
_GIVEN_UP: Final = (
    select(_work.id)
    .where(*_ITS_WORK, tables.given_up, _work.changed_at >= _callbacks.changed_at)
    .correlate(tables.callbacks)
    .exists()
)
_BEHIND: Final = (
    select(_links.callback_id)
    .join_from(tables.crm_follow_ups, tables.callbacks, _callbacks.id == _links.callback_id)
    .where(
        _links.target == bindparam("of_target"),
        tables.still_there,
        or_(
            _callbacks.state.not_in(_OPEN),
            _callbacks.agent_id.is_distinct_from(_links.agent_id),
            _callbacks.changed_at > _links.written_at,
        ),
        ~_WORKED_ON,
        ~_GIVEN_UP,
    )
    .order_by(_links.written_at)
    .limit(bindparam("at_most"))
)


class SqlFollowUps:
    """Callbacks and what stands for them in CRMs."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        new = connections.insert(tables.crm_follow_ups)
        key = ("target", "callback_id")
        self._put = new.on_conflict_do_update(
            index_elements=[_links[name] for name in key],
            set_={column.name: new.excluded[column.name] for column in _links if column.name not in key},
        )

    @to_the_end
    async def facts(self, callback_ids: Sequence[int]) -> Mapping[int, FollowUp]:
        """See the port."""
        async with self._connections.glancing() as connection:
            rows = await connection.execute(_FACTS, {"callback_ids": list(callback_ids)})
            return {row.id: _follow_up(row) for row in rows}

    @to_the_end
    async def links(self, target: str, callback_ids: Sequence[int]) -> Mapping[int, FollowLink]:
        """See the port."""
        asked = {"of_target": target, "callback_ids": list(callback_ids)}
        async with self._connections.glancing() as connection:
            return {row.callback_id: _link(row) for row in await connection.execute(_LINKS, asked)}

    @to_the_end
    async def put(self, link: FollowLink) -> None:
        """See the port."""
        values = {name: getattr(link, name) for name in _PLAIN}
        values["written"] = [moment.isoformat() for moment in link.written]
        values["ended_at"] = None if link.standing else link.written_at
        async with self._connections.writing() as connection:
            await connection.execute(self._put, values)

    @to_the_end
    async def behind(self, target: str, *, limit: int) -> list[int]:
        """See the port."""
        asked = {"of_target": target, "of_kind": follow_kind(target), "at_most": limit}
        async with self._connections.glancing() as connection:
            found = await connection.execute(_BEHIND, asked)
            return list(found.scalars())

    @to_the_end
    async def written(self, target: str, contact_id: int) -> list[datetime]:
        """See the port."""
        question = select(_links.written).where(_links.contact_id == contact_id, _links.target == target)
        async with self._connections.glancing() as connection:
            rows = (await connection.execute(question)).scalars()
            return [datetime.fromisoformat(text) for row in rows for text in row]


def _follow_up(row: Any) -> FollowUp:
    state = CallbackState(row.state)
    return FollowUp(
        callback_id=row.id,
        contact_id=row.contact_id,
        crm_ref=row.crm_ref,
        due_at=row.due_at,
        open=state in OPEN_CALLBACKS,
        done=state is CallbackState.DONE,
        text=row.note,
        created_by=row.created_by,
        agent_id=row.agent_id,
        agent=row.login,
        extension=row.endpoint,
    )


def _link(row: Any) -> FollowLink:
    written = tuple(datetime.fromisoformat(one) for one in row.written)
    plain = {name: getattr(row, name) for name in _PLAIN}
    return FollowLink(**plain, written=written, standing=row.ended_at is None)
