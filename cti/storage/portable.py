"""Expressions that SQLite and PostgreSQL spell differently and that must mean the same on both."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Dialect, String, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine


class ascii_lower(FunctionElement[str]):  # noqa: N801 (reads as the SQL function that it is)
    """Text with A to Z made small and every other letter left: what both databases can do alike."""

    name = "ascii_lower"
    type = String()
    inherit_cache = True


@compiles(ascii_lower, "sqlite")
def _ascii_lower_sqlite(element: ascii_lower, compiler: SQLCompiler, **more: Any) -> str:
    return f"lower({compiler.process(element.clauses, **more)})"


@compiles(ascii_lower, "postgresql")
def _ascii_lower_postgresql(element: ascii_lower, compiler: SQLCompiler, **more: Any) -> str:
    return f'lower(({compiler.process(element.clauses, **more)}) COLLATE "C")'


class by_bytes(FunctionElement[str]):  # noqa: N801
    """Text that is ordered byte by byte, whatever the database's language."""

    name = "by_bytes"
    type = String()
    inherit_cache = True


@compiles(by_bytes, "sqlite")
def _by_bytes_sqlite(element: by_bytes, compiler: SQLCompiler, **more: Any) -> str:
    return compiler.process(element.clauses, **more)


@compiles(by_bytes, "postgresql")
def _by_bytes_postgresql(element: by_bytes, compiler: SQLCompiler, **more: Any) -> str:
    return f'(({compiler.process(element.clauses, **more)}) COLLATE "C")'


class json_text(FunctionElement[str]):  # noqa: N801
    """The text under a key of a JSON object, NULL when there is none or it is not text: `json_text(column, key)`.

    The key is a bound value and never part of a JSON path, in which SQLite cannot escape a quotation mark.
    """

    name = "json_text"
    type = String()
    inherit_cache = True


@compiles(json_text, "sqlite")
def _json_text_sqlite(element: json_text, compiler: SQLCompiler, **more: Any) -> str:
    column, key = (compiler.process(part, **more) for part in element.clauses)
    where = f"WHERE json_each.key = {key} AND json_each.type = 'text'"
    return f"(SELECT json_each.value FROM json_each({column}) {where})"  # noqa: S608 (a column and a bound value)


@compiles(json_text, "postgresql")
def _json_text_postgresql(element: json_text, compiler: SQLCompiler, **more: Any) -> str:
    column, key = (compiler.process(part, **more) for part in element.clauses)
    key = f"CAST({key} AS TEXT)"
    return f"(CASE WHEN jsonb_typeof({column} -> {key}) = 'string' THEN {column} ->> {key} END)"


class ValueList(TypeDecorator[Sequence[Any]]):
    """Many values as one parameter. `IN` with a parameter for each costs a microsecond or two for every one of them."""

    impl = String
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        chosen = String() if dialect.name == "sqlite" else ARRAY(self.item)
        return dialect.type_descriptor(chosen)

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        return json.dumps(value, ensure_ascii=False) if dialect.name == "sqlite" else value


class _one_of(FunctionElement[Any]):  # noqa: N801
    name = "one_of"
    type = NullType()
    """Not Boolean: SQLite has none, so SQLAlchemy would compare it with 1, and no index would serve."""
    inherit_cache = True


@compiles(_one_of, "sqlite")
def _one_of_sqlite(element: _one_of, compiler: SQLCompiler, **more: Any) -> str:
    column, values = (compiler.process(part, **more) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 (a column and a bound value)


@compiles(_one_of, "postgresql")
def _one_of_postgresql(element: _one_of, compiler: SQLCompiler, **more: Any) -> str:
    column, values = (compiler.process(part, **more) for part in element.clauses)
    return f"{column} = ANY ({values})"


def one_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return whether the column is among the numbers or texts that the statement is given under this name."""
    return _one_of(column, bindparam(name, type_=ValueList(column.type)))


class microseconds(FunctionElement[int]):  # noqa: N801
    """A moment as whole microseconds since 1970, so that differences are exact."""

    name = "microseconds"
    type = BigInteger()
    inherit_cache = True


@compiles(microseconds, "sqlite")
def _microseconds_sqlite(element: microseconds, compiler: SQLCompiler, **more: Any) -> str:
    # a moment is text of one width there: 2026-11-23 09:00:00.000000+00:00
    at = compiler.process(element.clauses, **more)
    return (
        f"(CAST(strftime('%s', substr({at}, 1, 19)) AS INTEGER) * 1000000"
        f" + CAST(substr({at}, 21, 6) AS INTEGER))"
    )


@compiles(microseconds, "postgresql")
def _microseconds_postgresql(element: microseconds, compiler: SQLCompiler, **more: Any) -> str:
    return f"CAST(extract(epoch FROM {compiler.process(element.clauses, **more)}) * 1000000 AS BIGINT)"


A_SECOND: Final = 1_000_000
"""Microseconds."""


def between(later: ColumnElement[Any], earlier: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the microseconds from one moment to another, NULL when one of them is."""
    return microseconds(later) - microseconds(earlier)
