"""Pulling as it is: a service with its database, a reader beside it that is ended in the middle, two at once."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from crm_sync.feeds import api_feed
from crm_sync.house import open_house
from crm_sync.port import PulledRecord
from crm_sync.pull import Intake, PullReader, PullWords
from crm_sync.pull_feed import ApiIntake
from cti.app import open_app
from cti.clock import SystemClock
from cti.model.contact_rows import ContactQuery, Sort
from cti.model.crm import Rate, RecordRef
from cti.settings import Settings, load
from cti.storage.database import Database, open_database
from lab.ports import free_port
from tests.builders import NOW, a_campaign
from tests.fakes.strict_crm import StrictClient, StrictCrm
from tests.integration.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

LEADS = 400
SYNC = "a-token-of-the-process-that-reads"


def a_lead(number: int, **given: Any) -> PulledRecord:
    values: dict[str, Any] = {
        "ref": RecordRef("crm.lead", str(number)),
        "name": f"Lead {number}",
        "numbers": (f"030 90{number:05}",),
        "changed_at": NOW,
    }
    return PulledRecord(**values | given)


def settings(folder: Path, database: str) -> Settings:
    (folder / "strict.toml").write_text("")
    file = folder / "cti.toml"
    file.write_text(
        f"""
        [database]
        url = "{database}"
        [api]
        port = {free_port()}
        [[api.tokens]]
        name = "sync"
        role = "sync"
        token = "{SYNC}"
        [[nodes]]
        name = "pbx"
        secret = "x"
        port = 9
        [crm]
        process = false
        [[crm.targets]]
        name = "odoo"
        url = "http://127.0.0.1:9"
        mapping = "{folder / "strict.toml"}"
        [[crm.pulls]]
        name = "odoo-leads"
        target = "odoo"
        source = "leads"
        campaign = "autumn"
        region = "DE"
        page = 50
        """
    )
    return load(file, {})


def a_reader(crm: StrictCrm, intake: Intake) -> PullReader:
    return PullReader(
        pull="odoo-leads",
        source="leads",
        crm=StrictClient(crm),
        words=PullWords(target="odoo", logins={}, fields={}, stages={}),
        intake=intake,
        rate=Rate(),
    )


async def names(database: Database) -> list[str]:
    rows = await database.finding.contacts(ContactQuery(sort=Sort.OLDEST, limit=LEADS * 2))
    return [row.name for row in rows]


async def test_a_reader_that_is_ended_again_and_again_brings_each_record_once(tmp_path: Path) -> None:
    crm = StrictCrm(records=[a_lead(n) for n in range(1, LEADS + 1)], overlap=20)
    chosen = settings(tmp_path, f"sqlite:///{tmp_path / 'waihu.db'}")
    async with open_app(chosen) as app, api_feed(app.url, SYNC) as feed:
        await app.database.campaigns.add_campaign(a_campaign(id=0))
        for steps in range(1, 6):  # each is cancelled at another place
            task = asyncio.create_task(a_reader(crm, ApiIntake(feed)).run())
            await asyncio.sleep(0.03 * steps)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await a_reader(crm, ApiIntake(feed)).drain()

        assert await names(app.database) == [f"Lead {n}" for n in range(1, LEADS + 1)]
        standing = await app.database.pulls.standing("odoo-leads")
        assert (standing.counts["added"], standing.more) == (LEADS, False)


@pytest.mark.postgres
async def test_on_postgresql_two_readers_at_once_bring_each_record_once(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url = postgres_server.make_database("crm_pull")
    crm = StrictCrm(records=[a_lead(n) for n in range(1, LEADS + 1)], overlap=20)
    chosen, clock = settings(tmp_path, url), SystemClock()
    async with (
        open_database(url) as database,
        open_house(chosen, config=None, clock=clock) as one,
        open_house(chosen, config=None, clock=clock) as other,
    ):
        await database.campaigns.add_campaign(a_campaign(id=0))
        readers = [a_reader(crm, house.intake) for house in (one, other)]
        await asyncio.gather(*(reader.drain() for reader in readers))

        assert await names(database) == [f"Lead {n}" for n in range(1, LEADS + 1)]
        assert (await database.pulls.standing("odoo-leads")).counts["added"] == LEADS
