"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine


class UtcTime(TypeDecorator[datetime]):
    """An aware moment, UTC in and out, microseconds kept.

    SQLite has no such type: there it is text of one width in UTC, which sorts as the moments do. A naive datetime is
    a bug of the caller and raises ValueError.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        chosen = String(32) if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(chosen)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is not UTC:
            value = _in_utc(value)
        return value.isoformat(" ", "microseconds") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; storage takes aware times only")
    return moment.astimezone(UTC)


RowId: Final = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only when the key's type is spelled INTEGER."""

Key: Final = String().with_variant(String(collation="C"), "postgresql")
"""Text that is compared byte by byte, whatever the database's language: ids, and numbers searched by prefix."""

JsonObject: Final = JSON().with_variant(JSONB, "postgresql")
