"""One service per database, on SQLite and PostgreSQL."""

import asyncio
import sys

import pytest

from cti.errors import Conflict
from cti.storage.alone import only_service
from tests.waiting import PATIENCE_SECONDS

HOLDER = """
import asyncio, sys
from cti.storage.alone import only_service

async def hold():
    async with only_service(sys.argv[1]):
        print("held", flush=True)
        await asyncio.Event().wait()

asyncio.run(hold())
"""


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture(autouse=True)
def _few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti.storage.alone.TRIES", 2)
    monkeypatch.setattr("cti.storage.alone.TRY_SECONDS", 0.01)


async def test_a_second_service_is_refused_and_told_where(url: str) -> None:
    async with only_service(url):
        with pytest.raises(Conflict, match="another service") as refused:
            async with only_service(url):
                pass
    assert "secret" not in str(refused.value)


async def test_the_next_one_may_begin_when_the_first_has_ended(url: str) -> None:
    for _ in range(2):
        async with only_service(url):
            pass


async def test_a_killed_service_keeps_nobody_out(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti.storage.alone.TRIES", round(PATIENCE_SECONDS / 0.01))
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, url, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    holder.kill()
    await holder.wait()
    async with only_service(url):
        pass
