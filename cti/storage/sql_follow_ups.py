"""`FollowUpStore` on the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.contacts.changes import Change
from cti.crm.follow_ups import follow_kind
from cti.model.callbacks import OPEN_CALLBACKS, CallbackState
from cti.model.follow_ups import FollowLink, FollowUp, contact_of, key_of, with_time
from cti.storage import tables
from cti.storage.change_rows import carry_out
from cti.storage.connections import Connections
from cti.storage.contact_rows import subjects
from cti.storage.portable import one_of
from cti.storage.uninterrupted import to_the_end

_links, _callbacks, _agents = tables.crm_follow_links.c, tables.callbacks.c, tables.agents.c
_contacts, _work = tables.contacts.c, tables.work.c
_PLAIN: Final = (
    *("target", "callback_id", "contact_id", "ref", "remote", "text_print", "agent_id"),
    "written_at",
)
_OPEN: Final = sorted(state.value for state in OPEN_CALLBACKS)
_OF_CALLBACKS: Final = (
    select(
        _callbacks.id,
        _callbacks.contact_id,
        _callbacks.due_at,
        _callbacks.state,
        _callbacks.note,
        _callbacks.created_by,
        _callbacks.agent_id,
        _contacts.crm_ref,
        _agents.login,
        _agents.endpoint,
    )
    .join_from(tables.callbacks, tables.contacts, _contacts.id == _callbacks.contact_id)
    .outerjoin(tables.agents, _agents.id == _callbacks.agent_id)
    .where(one_of(_callbacks.id, "callback_ids"))
)
_OF_CONTACTS: Final = (
    select(
        _contacts.id,
        _contacts.next_follow_up_at,
        _contacts.owner_agent_id,
        _contacts.crm_ref,
        _agents.login,
        _agents.endpoint,
    )
    .outerjoin_from(tables.contacts, tables.agents, _agents.id == _contacts.owner_agent_id)
    .where(one_of(_contacts.id, "contact_ids"))
)
_LINKS: Final = select(tables.crm_follow_links).where(
    _links.target == bindparam("of_target"), one_of(_links.key, "keys")
)
_ITS_WORK: Final = (_work.kind == bindparam("of_kind"), _work.key == _links.key)
_WORKED_ON: Final = (
    select(_work.id).where(*_ITS_WORK, tables.not_done).correlate(tables.crm_follow_links).exists()
)


def _given_up(since: ColumnElement[datetime]) -> ColumnElement[bool]:
    return (
        select(_work.id)
        .where(*_ITS_WORK, tables.given_up, _work.changed_at >= since)
        .correlate(tables.crm_follow_links, tables.callbacks)
        .exists()
    )


_BEHIND: Final = (
    select(_links.key)
    .join_from(tables.crm_follow_links, tables.callbacks, _callbacks.id == _links.callback_id)
    .where(
        _links.target == bindparam("of_target"),
        tables.still_there,
        or_(
            _callbacks.state.not_in(_OPEN),
            _callbacks.agent_id.is_distinct_from(_links.agent_id),
            _callbacks.changed_at > _links.written_at,
        ),
        ~_WORKED_ON,
        ~_given_up(_callbacks.changed_at),
    )
    .order_by(_links.written_at)
    .limit(bindparam("at_most"))
)
_CONTACTS_BEHIND: Final = (
    select(_links.key)
    .join_from(tables.crm_follow_links, tables.contacts, _contacts.id == _links.contact_id)
    .where(
        _links.target == bindparam("of_target"),
        tables.still_there,
        _links.callback_id.is_(None),
        or_(
            _contacts.next_follow_up_at.is_distinct_from(_links.due_at),
            _contacts.owner_agent_id.is_distinct_from(_links.agent_id),
        ),
        ~_WORKED_ON,
        ~_given_up(_links.written_at),  # an edit since then has ordered it anew
    )
    .order_by(_links.written_at)
    .limit(bindparam("at_most"))
)


class SqlFollowUps:
    """Follow-ups and what stands for them in CRMs."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        new = connections.insert(tables.crm_follow_links)
        key = ("target", "key")
        self._put = new.on_conflict_do_update(
            index_elements=[_links[name] for name in key],
            set_={column.name: new.excluded[column.name] for column in _links if column.name not in key},
        )

    @to_the_end
    async def facts(self, keys: Sequence[str]) -> Mapping[str, FollowUp]:
        """See the port."""
        owns = {key: contact_of(key) for key in keys}
        callback_ids = [int(key) for key, contact_id in owns.items() if contact_id is None]
        contact_ids = [contact_id for contact_id in owns.values() if contact_id is not None]
        async with self._connections.glancing() as connection:
            found = [
                *(_of_callback(row) for row in await _rows(connection, _OF_CALLBACKS, callback_ids)),
                *(_of_contact(row) for row in await _rows(connection, _OF_CONTACTS, contact_ids)),
            ]
        return {one.key: one for one in found}

    @to_the_end
    async def links(self, target: str, keys: Sequence[str]) -> Mapping[str, FollowLink]:
        """See the port."""
        asked = {"of_target": target, "keys": list(keys)}
        async with self._connections.glancing() as connection:
            return {row.key: _link(row) for row in await connection.execute(_LINKS, asked)}

    @to_the_end
    async def put(self, link: FollowLink) -> None:
        """See the port."""
        values = {name: getattr(link, name) for name in ("key", *_PLAIN)}
        values["written"] = [moment.isoformat() for moment in link.written]
        values["due_at"] = link.written[-1] if link.written else None
        values["ended_at"] = None if link.standing else link.written_at
        async with self._connections.writing() as connection:
            await connection.execute(self._put, values)

    @to_the_end
    async def behind(self, target: str, *, limit: int) -> list[str]:
        """See the port."""
        asked = {"of_target": target, "of_kind": follow_kind(target), "at_most": limit}
        async with self._connections.glancing() as connection:
            return [
                key
                for question in (_BEHIND, _CONTACTS_BEHIND)
                for key in (await connection.execute(question, asked)).scalars()
            ]

    @to_the_end
    async def written(self, target: str, contact_id: int) -> list[datetime]:
        """See the port."""
        question = select(_links.written).where(_links.contact_id == contact_id, _links.target == target)
        async with self._connections.glancing() as connection:
            rows = (await connection.execute(question)).scalars()
            return [datetime.fromisoformat(text) for row in rows for text in row]

    @to_the_end
    async def moved_there(
        self, target: str, contact_id: int, *, at: datetime, by: str, now: datetime
    ) -> bool:
        """See the port."""
        mine = (_links.target == target, _links.key == key_of(callback_id=None, contact_id=contact_id))
        standing = select(_links.written).where(*mine, tables.still_there).with_for_update()
        async with self._connections.writing() as connection:
            found = await subjects(connection, [contact_id], lock=True)
            before = found[0].facts["next_follow_up_at"] if found else None
            row = (await connection.execute(standing)).one_or_none()
            if before is None or row is None:
                return False
            change = Change(contact={"next_follow_up_at": (before, at)})
            await carry_out(self._connections, connection, [(contact_id, change)], kind="crm", by=by, at=now)
            written = with_time([datetime.fromisoformat(one) for one in row.written], at)
            values = {"written": [one.isoformat() for one in written], "due_at": at, "written_at": now}
            await connection.execute(update(tables.crm_follow_links).where(*mine).values(values))
        return True


async def _rows(connection: AsyncConnection, question: Any, ids: Sequence[int]) -> Sequence[Any]:
    if not ids:
        return ()
    name = "callback_ids" if question is _OF_CALLBACKS else "contact_ids"
    return (await connection.execute(question, {name: list(ids)})).all()


def _of_callback(row: Any) -> FollowUp:
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


def _of_contact(row: Any) -> FollowUp:
    return FollowUp(
        callback_id=None,
        contact_id=row.id,
        crm_ref=row.crm_ref,
        due_at=row.next_follow_up_at,
        open=row.next_follow_up_at is not None,
        done=False,
        agent_id=row.owner_agent_id,
        agent=row.login,
        extension=row.endpoint,
    )


def _link(row: Any) -> FollowLink:
    written = tuple(datetime.fromisoformat(one) for one in row.written)
    plain = {name: getattr(row, name) for name in _PLAIN}
    return FollowLink(**plain, written=written, standing=row.ended_at is None)
