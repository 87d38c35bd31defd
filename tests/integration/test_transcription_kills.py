"""Workers are killed, Redis is stopped: every recording ends with exactly one transcript, and it is the right one."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.postgres import PostgresServer
from tests.integration.redis_server import RedisServer, redis_server
from tests.integration.transcription_site import LEASE_SECONDS, killed_meanwhile, transcription_site

__all__ = ["redis_server"]

RECORDINGS, KILLS = 40, 4
WITHIN_SECONDS = 200.0


async def test_fed_by_the_api(tmp_path: Path) -> None:
    async with transcription_site(tmp_path, feed="api") as site:
        await killed_meanwhile(site, recordings=RECORDINGS, kills=KILLS, within=WITHIN_SECONDS)


@pytest.mark.postgres
async def test_fed_by_postgres_alone(tmp_path: Path, postgres_server: PostgresServer) -> None:
    url = postgres_server.make_database("transcription_kills")
    async with transcription_site(tmp_path, database=url) as site:
        await killed_meanwhile(site, recordings=RECORDINGS, kills=KILLS, within=WITHIN_SECONDS)


async def test_fed_by_redis_that_is_stopped_and_loses_everything(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with transcription_site(tmp_path, feed="redis", redis=redis_server.url) as site:
        await site.record(RECORDINGS)
        async with site.workers() as workers:
            await site.until_done(5, within=WITHIN_SECONDS)
            await workers.kill_one()
            await site.until_done(12, within=WITHIN_SECONDS)
            redis_server.stop()
            await workers.kill_one()
            await asyncio.sleep(LEASE_SECONDS + 1)  # longer than a lease: the feeder keeps them meanwhile
            redis_server.start()
            await site.until_done(25, within=WITHIN_SECONDS)
            await workers.kill_one()
            await site.until_done(RECORDINGS, within=WITHIN_SECONDS)
        await site.assert_each_has_one_transcript()
