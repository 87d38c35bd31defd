"""Puts pulled lists, follow-ups, look-ups together: in the service, and in a process that has the database itself."""

from collections.abc import Callable

from cti.clock import Clock
from cti.crm.follow_ups import TableFollowUps
from cti.crm.intake import TableIntake
from cti.crm.look_ups import POLL_SECONDS, TableLookUps
from cti.crm.promises import PromiseKeeper
from cti.dialer.retry import CALLBACK_RAISE
from cti.settings import Settings
from cti.storage.database import Database


def intake_of(settings: Settings, database: Database, *, clock: Clock) -> TableIntake:
    """Return the intake of all pulls of the settings."""
    promises = PromiseKeeper(
        store=database.pulls,
        callbacks=database.callbacks,
        campaigns=database.campaigns.campaigns,
        written=database.follow_ups.written,
        moved_there=database.follow_ups.moved_there,
        clock=clock,
        raise_by=CALLBACK_RAISE,
        zone=settings.api.zone or "UTC",
    )
    return TableIntake(
        pulls=settings.crm.pull_rules(),
        store=database.pulls,
        targets=database.crm,
        clock=clock,
        settle=promises.settle,
    )


def follow_ups_of(settings: Settings, database: Database, *, clock: Clock) -> TableFollowUps:
    """Return the feed of follow-ups of all targets of the settings."""
    return TableFollowUps(
        works=database.work,
        store=database.follow_ups,
        targets=database.crm,
        names=[target.name for target in settings.crm.targets],
        clock=clock,
    )


def look_ups_of(
    settings: Settings,
    database: Database,
    *,
    clock: Clock,
    poll_seconds: float = POLL_SECONDS,
    on_answer: Callable[[], None] = lambda: None,
) -> TableLookUps:
    """Return the feed of numbers that the targets of the settings are asked for."""
    return TableLookUps(
        store=database.look_ups,
        standings=database.crm,
        works=database.work,
        targets=settings.crm.rules(),
        clock=clock,
        poll_seconds=poll_seconds,
        on_answer=on_answer,
    )
