"""Transcription at full length: ten kills over two hundred recordings, Redis stopped for twenty seconds."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.integration.postgres import running_postgres
from tests.integration.redis_server import RedisServer, redis_server
from tests.integration.transcription_site import (
    killed_meanwhile,
    need_model,
    transcription_site,
    vosk_lines,
)

__all__ = ["redis_server"]

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

RECORDINGS: Final = 200
KILLS: Final = 10
STOPPED_SECONDS: Final = 20.0
WITHIN_SECONDS: Final = 900.0


async def test_ten_kills_fed_by_the_api(tmp_path: Path) -> None:
    async with transcription_site(tmp_path, feed="api") as site:
        await killed_meanwhile(site, recordings=RECORDINGS, kills=KILLS, within=WITHIN_SECONDS)


async def test_ten_kills_fed_by_postgres(tmp_path: Path) -> None:
    with running_postgres() as server:
        url = server.make_database("long_transcription")
        async with transcription_site(tmp_path, database=url) as site:
            await killed_meanwhile(site, recordings=RECORDINGS, kills=KILLS, within=WITHIN_SECONDS)


async def test_ten_kills_and_redis_stopped_for_twenty_seconds(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with transcription_site(tmp_path, feed="redis", redis=redis_server.url) as site:
        await site.record(RECORDINGS)
        async with site.workers() as workers:
            for number in range(KILLS):
                await site.until_done(number * RECORDINGS // (KILLS + 1) + 1, within=WITHIN_SECONDS)
                await workers.kill_one()
                if number == KILLS // 2:
                    redis_server.stop()
                    await asyncio.sleep(STOPPED_SECONDS)
                    redis_server.start()
            await site.until_done(RECORDINGS, within=WITHIN_SECONDS)
        assert workers.killed == KILLS
        await site.assert_each_has_one_transcript()


async def test_kills_of_the_real_worker_with_the_real_engine(tmp_path: Path) -> None:
    need_model()
    async with transcription_site(tmp_path, feed="api", asr=vosk_lines(workers=0, threads=1)) as site:
        await site.record(RECORDINGS // 4)
        async with site.workers(command=(sys.executable, "-m", "cti.asr", "--child")) as workers:
            for number in range(KILLS // 2):
                await site.until_done(8 * number + 1, within=WITHIN_SECONDS)
                await workers.kill_one()
            await site.until_done(len(site.calls), within=WITHIN_SECONDS)
        assert (await site.counts())[2:] == (len(site.calls), 0)
        for call_id in site.calls:
            assert [one.engine for one in await site.versions(call_id)] == ["vosk"]
