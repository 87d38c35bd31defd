"""Opens the way to the service: its database where that is PostgreSQL, else its API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crm_sync.feeds import api_feed
from crm_sync.follow_up import FollowFeed
from crm_sync.look_up import LookUps
from crm_sync.pull import Intake
from crm_sync.pull_feed import ApiFollowUps, ApiIntake, ApiLookUps
from crm_sync.push import Feed
from crm_sync.run_feed import ApiRunFeed
from cti.clock import Clock
from cti.crm.feed import TableFeed
from cti.crm.reconcile_ports import RunFeed
from cti.crm.reconciling import TableReconciling
from cti.crm.texts import texts_by
from cti.settings import Settings
from cti.settings.client import access
from cti.storage.database import open_database
from cti.wiring.crm_pulls import follow_ups_of, intake_of, look_ups_of


@dataclass(frozen=True, slots=True)
class House:
    """What is asked for work, and told what became of it."""

    feed: Feed
    intake: Intake
    follow_ups: FollowFeed
    runs: RunFeed
    look_ups: LookUps


@asynccontextmanager
async def open_house(settings: Settings, *, config: Path | None, clock: Clock) -> AsyncIterator[House]:
    """Open it. Raises SettingsError (no token), StorageError (no database)."""
    url = settings.database.url.get_secret_value()
    if url.startswith("postgresql"):
        async with open_database(url, clock=clock) as database:
            feed = TableFeed(
                works=database.work,
                store=database.crm,
                targets=settings.crm.rules(),
                clock=clock,
                texts=texts_by(database.transcripts.current),
            )
            runs = TableReconciling(
                works=database.work,
                store=database.crm,
                runs=database.reconciliations,
                feed=feed,
                targets=settings.crm.rules(),
                clock=clock,
            )
            yield House(
                feed,
                intake_of(settings, database, clock=clock),
                follow_ups_of(settings, database, clock=clock),
                runs,
                look_ups_of(settings, database, clock=clock),
            )
        return
    found = access(config=config)
    async with api_feed(found.url, found.token) as session:
        yield House(
            session, ApiIntake(session), ApiFollowUps(session), ApiRunFeed(session), ApiLookUps(session)
        )
