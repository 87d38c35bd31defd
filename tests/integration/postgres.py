"""The session's real PostgreSQL; see `lab.postgres`."""

import os
from collections.abc import Iterator

import pytest

from lab.postgres import PostgresServer, find_programs, running_postgres

__all__ = ["PostgresServer", "find_programs", "postgres_server", "running_postgres"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Give the session's PostgreSQL. Skips when there is none, but fails with CI=true."""
    try:
        find_programs()
    except LookupError as error:
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with running_postgres() as server:
        yield server
