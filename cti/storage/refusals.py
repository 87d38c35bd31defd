"""A library's errors, translated: the one place that knows what SQLite and PostgreSQL call their troubles.

Out come StorageError (with `temporary`), Conflict, NotFound, BadInput. What is a bug of ours goes through as it is.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc

from cti.errors import BadInput, Conflict, CtiError, NotFound, StorageError

_PASSING_SQLITE: Final = frozenset(
    {
        "SQLITE_BUSY",
        "SQLITE_LOCKED",
        "SQLITE_FULL",
        "SQLITE_IOERR",
        "SQLITE_CANTOPEN",
        "SQLITE_NOMEM",
        "SQLITE_PROTOCOL",
    }
)
"""Primary result codes that go away by waiting or by making room (https://www.sqlite.org/rescode.html)."""

_PASSING_POSTGRES: Final = re.compile(r"08|53|57P0[1-5]|58|40001|40P01|55P03|57014|XX000")
"""SQLSTATEs and classes of them: connection, resources, shutdown, system, deadlock, lock and statement timeouts
(https://www.postgresql.org/docs/current/errcodes-appendix.html)."""

_SENTENCES: Final = {
    "agents_login": "the login is taken",
    "agents_node_endpoint": "the phone belongs to another agent",
    "callbacks_entry_id": "a callback stands open for this contact already",
    "campaigns_name": "there is a campaign of that name already",
    "rescans_running": "a rescan runs already",
    "rescans_state": "a rescan runs already",
    "reviews_call_id_card_code": "the call has a review by this card already",
    "reviews_call_id_card_code_reviewer": "you have a review of this call by this card already",
    "reviews_counted": "the call has a review by this card already",
    "lists_campaign_id_name": "the campaign has a list of that name already",
}


@contextmanager
def translated(label: str) -> Iterator[None]:
    """Turn the libraries' errors of the block into ours; `label` says which database."""
    try:
        yield
    except CtiError:
        raise
    except exc.DBAPIError as error:
        raise _of_driver(error, label) from error
    except exc.TimeoutError as error:
        raise StorageError(f"{label}: no connection became free in time", temporary=True) from error
    except OSError as error:
        # asyncpg lets a refused or lost connection, and a timeout, through bare
        raise StorageError(f"{label} cannot be reached: {_words(error)}", temporary=True) from error


def _of_driver(error: exc.DBAPIError, label: str) -> CtiError:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause, label)
    state = getattr(cause, "sqlstate", None) or ""
    if state == "23505":
        return Conflict(_conflict(_constraint(cause)))
    if state == "23503":
        return NotFound(f"what is referred to does not exist ({_constraint(cause)})")
    if state.startswith("22"):
        return BadInput(f"{label} does not take a value: {_words(cause)}")
    passing = error.connection_invalidated or not state or bool(_PASSING_POSTGRES.match(state))
    return StorageError(f"{label}: {_words(cause)}", temporary=passing)


def _of_sqlite(cause: sqlite3.Error, label: str) -> CtiError:
    name = getattr(cause, "sqlite_errorname", "")
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return Conflict(_conflict(_sqlite_constraint(str(cause))))
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return NotFound("what is referred to does not exist")
    primary = "_".join(name.split("_")[:2])
    return StorageError(f"{label}: {cause}", temporary=primary in _PASSING_SQLITE)


def _conflict(constraint: str) -> str:
    return _SENTENCES.get(constraint, f"it is there already ({constraint})")


def _sqlite_constraint(message: str) -> str:
    """Return `agents_node_endpoint` for `UNIQUE constraint failed: agents.node, agents.endpoint`."""
    columns = message.partition(": ")[2].split(", ")
    return "_".join([columns[0].partition(".")[0], *(column.partition(".")[2] for column in columns)])


def _constraint(cause: BaseException | None) -> str:
    """Return the constraint's name without its prefix; SQLAlchemy keeps asyncpg's own error as the cause."""
    name = getattr(getattr(cause, "__cause__", None), "constraint_name", None) or ""
    return re.sub(r"^(uq|pk|fk)_", "", str(name))


def _words(cause: BaseException | None) -> str:
    """Return the first line of what the library says, without its own class's name before it."""
    said = re.sub(r"^<class '[^']*'>: ", "", str(cause)).strip()
    return said.splitlines()[0] if said else type(cause).__name__
