"""Which database: a URL taken apart, and what people may be told of it. No password ever leaves here in words."""

from dataclasses import dataclass

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from cti.errors import SettingsError

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database that we can open."""

    url: URL
    label: str
    """For messages: names the place, never the user's password."""

    @property
    def is_sqlite(self) -> bool:
        return self.url.drivername.startswith("sqlite")


def parse_address(text: str) -> Address:
    """Return the address a URL means: `sqlite:///file` or `postgresql://user:password@host/name`.

    Raises SettingsError, which does not repeat the URL.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "the database URL cannot be read; write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise SettingsError(
            f"the database URL begins with {url.drivername}; only sqlite and postgresql are known"
        )
    url = url.set(drivername=driver)
    return Address(url=url, label=_sqlite_label(url) if driver.startswith("sqlite") else _postgres_label(url))


def _sqlite_label(url: URL) -> str:
    if not url.database or url.database == ":memory:":
        raise SettingsError(
            "the database URL names no file; write sqlite:///FILE, calls must outlive the process"
        )
    return f"SQLite file {url.database}"


def _postgres_label(url: URL) -> str:
    host = url.host or url.query.get("host") or "the local socket"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database or url.username} at {host}{port}"
