"""The libraries' errors in our words. That they really raise these is shown by the contract tests."""

import sqlite3
from typing import Any

import pytest
from sqlalchemy import exc

from cti.errors import BadInput, Conflict, CtiError, NotFound, StorageError
from cti.storage.refusals import translated


def of_sqlite(name: str, message: str = "it is so") -> exc.DBAPIError:
    cause = sqlite3.OperationalError(message)
    cause.sqlite_errorname = name
    return exc.OperationalError("SELECT secret", {"a": "private"}, cause)


def of_postgres(state: str | None, message: str = "it is so", *, lost: bool = False) -> exc.DBAPIError:
    cause: Any = Exception(
        f"<class 'asyncpg.exceptions.SomeError'>: {message}\nDETAIL: Key (name)=(王) exists"
    )
    cause.sqlstate = state
    return exc.DBAPIError("SELECT secret", {"a": "private"}, cause, connection_invalidated=lost)


def translation(error: BaseException) -> CtiError:
    with pytest.raises(CtiError) as told, translated("the database"):
        raise error
    return told.value


@pytest.mark.parametrize(
    ("error", "temporary"),
    [
        (of_sqlite("SQLITE_BUSY"), True),
        (of_sqlite("SQLITE_BUSY_SNAPSHOT"), True),
        (of_sqlite("SQLITE_FULL"), True),
        (of_sqlite("SQLITE_IOERR_WRITE"), True),
        (of_sqlite("SQLITE_CANTOPEN"), True),
        (of_sqlite("SQLITE_CORRUPT"), False),
        (of_sqlite("SQLITE_READONLY"), False),
        (of_sqlite("SQLITE_ERROR"), False),
        (of_postgres("57P01"), True),
        (of_postgres("57P03"), True),
        (of_postgres("08006"), True),
        (of_postgres("40P01"), True),
        (of_postgres("53300"), True),
        (of_postgres(None), True),
        (of_postgres("42P01", lost=True), True),
        (of_postgres("42P01"), False),
        (of_postgres("28P01"), False),
        (of_postgres("3D000"), False),
        (exc.TimeoutError("pool"), True),
        (ConnectionRefusedError(111, "refused"), True),
        (TimeoutError(), True),
    ],
)
def test_what_passes_is_told_from_what_lasts(error: Exception, temporary: bool) -> None:
    told = translation(error)

    assert isinstance(told, StorageError)
    assert told.temporary == temporary
    assert str(told).startswith("the database")


@pytest.mark.parametrize(
    ("error", "kind", "sentence"),
    [
        (
            of_sqlite("SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: agents.node, agents.endpoint"),
            Conflict,
            "the phone belongs to another agent",
        ),
        (
            of_sqlite("SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: x.y"),
            Conflict,
            "there already (x_y)",
        ),
        (of_sqlite("SQLITE_CONSTRAINT_FOREIGNKEY"), NotFound, "does not exist"),
        (of_postgres("23505"), Conflict, "there already"),
        (of_postgres("23503"), NotFound, "does not exist"),
        (of_postgres("22021", "invalid byte sequence"), BadInput, "invalid byte sequence"),
    ],
)
def test_a_broken_rule_is_the_caller_s_to_handle(
    error: Exception, kind: type[CtiError], sentence: str
) -> None:
    told = translation(error)

    assert type(told) is kind
    assert sentence in str(told)


@pytest.mark.parametrize("error", [of_sqlite("SQLITE_BUSY"), of_postgres("57P01"), of_postgres("42P01")])
def test_a_message_holds_neither_statement_nor_values(error: Exception) -> None:
    told = str(translation(error))

    assert told == "the database: it is so"


def test_our_own_errors_and_bugs_go_through_as_they_are() -> None:
    with pytest.raises(NotFound, match="no call"), translated("the database"):
        raise NotFound("no call")
    with pytest.raises(ZeroDivisionError), translated("the database"):
        raise ZeroDivisionError
