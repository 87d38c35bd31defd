"""Which database a URL means, and what is said of it."""

import pytest

from cti.errors import SettingsError
from cti.storage.address import parse_address


@pytest.mark.parametrize(
    ("url", "driver", "label"),
    [
        ("sqlite:///var/waihu.db", "sqlite+aiosqlite", "SQLite file var/waihu.db"),
        ("sqlite:////srv/waihu.db", "sqlite+aiosqlite", "SQLite file /srv/waihu.db"),
        ("postgresql://u:hush@db:5433/waihu", "postgresql+asyncpg", "PostgreSQL database waihu at db:5433"),
        ("postgres://u:hush@db/waihu", "postgresql+asyncpg", "PostgreSQL database waihu at db"),
        (
            "postgresql:///waihu?host=/run/postgresql&password=hush",
            "postgresql+asyncpg",
            "PostgreSQL database waihu at /run/postgresql",
        ),
        ("postgresql:///waihu", "postgresql+asyncpg", "PostgreSQL database waihu at the local socket"),
    ],
)
def test_a_url_names_a_database_and_its_label_keeps_the_password(url: str, driver: str, label: str) -> None:
    address = parse_address(url)

    assert (address.url.drivername, address.label) == (driver, label)
    assert address.is_sqlite == driver.startswith("sqlite")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "waihu.db",
        "mysql://u:hush@db/waihu",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://u:hush@db:x/waihu",
    ],
)
def test_a_url_that_is_no_use_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_address(url)

    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None
