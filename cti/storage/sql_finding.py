"""`FindingStore` on the database: contacts found by conditions, and changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from cti.contacts.changes import Change
from cti.contacts.finding_ports import ContactWorks, Plan, no_contact_works
from cti.errors import NotFound
from cti.model.conditions import Condition, Scope
from cti.model.contact_rows import SORTED_BY, ContactChange, ContactQuery, ContactRow, EntryRow, Sort
from cti.storage import tables
from cti.storage.change_rows import carry_out
from cti.storage.condition_places import ID, TABLES
from cti.storage.condition_sql import criterion
from cti.storage.connections import Connections
from cti.storage.contact_rows import ROWS, contact_rows, subjects
from cti.storage.portable import by_bytes
from cti.storage.uninterrupted import to_the_end
from cti.storage.work_rows import WorkWriter

_contacts, _entries, _changes = tables.contacts.c, tables.list_entries.c, tables.contact_changes.c
_ORDERS: Final[dict[str, ColumnElement[Any]]] = {
    word: by_bytes(_contacts[name]) if word == "name" else _contacts[name] for word, name in SORTED_BY.items()
}
_PLACES: Final = (
    select(
        _entries.id,
        _entries.list_id,
        tables.lists.c.name.label("list"),
        _entries.campaign_id,
        tables.campaigns.c.name.label("campaign"),
        _entries.state,
        _entries.tries,
        _entries.priority,
        _entries.due_at,
        _entries.reason,
        _entries.reason_detail,
    )
    .join_from(tables.list_entries, tables.lists, tables.lists.c.id == _entries.list_id)
    .join(tables.campaigns, tables.campaigns.c.id == _entries.campaign_id)
    .order_by(_entries.id)
)
_HISTORY: Final = select(tables.contact_changes).order_by(_changes.id.desc())
_TAGS: Final = (
    select(tables.contact_tags.c.tag, func.count().label("contacts"))
    .group_by(tables.contact_tags.c.tag)
    .order_by(tables.contact_tags.c.tag)
)


class SqlFinding:
    """Finds contacts, tells all of one, changes one."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.begun = connections.begun
        self._works = WorkWriter(connections)

    @to_the_end
    async def contacts(self, wanted: ContactQuery) -> list[ContactRow]:
        """See the port.

        Who has no value in the order's column comes in a question of his own, so that each is answered in the order
        of an index where there is one.
        """
        rows: list[Any] = []
        async with self._connections.reading() as connection:
            for question in page_questions(wanted):
                if len(rows) < wanted.limit:
                    rows += (await connection.execute(question.limit(wanted.limit - len(rows)))).all()
            return await contact_rows(connection, rows)

    @to_the_end
    async def count(self, condition: Condition, scope: Scope) -> int:
        """See the port."""
        async with self._connections.reading() as connection:
            return int((await connection.execute(count_question(condition, scope))).scalar_one())

    @to_the_end
    async def entries(self, contact_id: int) -> list[EntryRow]:
        """See the port."""
        async with self._connections.reading() as connection:
            rows = await connection.execute(_PLACES.where(_entries.contact_id == contact_id))
            return [EntryRow(**row) for row in rows.mappings()]

    @to_the_end
    async def changes(self, contact_id: int, *, limit: int) -> list[ContactChange]:
        """See the port."""
        question = _HISTORY.where(_changes.contact_id == contact_id).limit(limit)
        async with self._connections.reading() as connection:
            return [ContactChange(**row) for row in (await connection.execute(question)).mappings()]

    @to_the_end
    async def change(
        self,
        contact_id: int,
        plan: Plan,
        *,
        kind: str,
        by: str,
        at: datetime,
        works: ContactWorks = no_contact_works,
    ) -> Change:
        """See the port."""
        async with self._connections.writing() as connection:
            found = await subjects(connection, [contact_id], lock=True)
            if not found:
                raise NotFound(f"there is no contact {contact_id}")
            change = plan(found[0])
            if change:
                changed = [(contact_id, change)]
                await carry_out(self._connections, connection, changed, kind=kind, by=by, at=at)
                await self._works.write(connection, works(contact_id, change.contact), now=at)
        return change

    @to_the_end
    async def tags(self) -> Sequence[tuple[str, int]]:
        """See the port."""
        async with self._connections.reading() as connection:
            return [(row.tag, row.contacts) for row in await connection.execute(_TAGS)]


def count_question(condition: Condition, scope: Scope) -> Select[Any]:
    """Return the count as a question."""
    return select(func.count()).select_from(TABLES[scope]).where(criterion(condition, scope))


def page_questions(wanted: ContactQuery) -> list[Select[Any]]:
    """Return the questions whose rows, one after the other, are the page; without limits."""
    down = wanted.sort.startswith("-")
    word, after = wanted.sort.removeprefix("-"), wanted.after
    matching = ROWS.where(criterion(wanted.condition, Scope.CONTACT))
    contact_id = ID[Scope.CONTACT]
    by_id = contact_id.desc() if down else contact_id
    behind = _behind(contact_id, after.id, down=down) if after is not None else None
    if wanted.sort in (Sort.OLDEST, Sort.NEWEST):
        return [(matching if behind is None else matching.where(behind)).order_by(by_id)]
    value = _ORDERS[word]
    with_value = matching.where(value.is_not(None)).order_by(value.desc() if down else value, by_id)
    without = matching.where(value.is_(None)).order_by(by_id)
    if after is None or behind is None:
        return [with_value, without]
    if after.value is None:
        return [without.where(behind)]
    later = or_(_behind(value, after.value, down=down), and_(value == after.value, behind))
    return [with_value.where(later), without]


def _behind(column: ColumnElement[Any], value: Any, *, down: bool) -> ColumnElement[bool]:
    behind: ColumnElement[bool] = column < value if down else column > value
    return behind
