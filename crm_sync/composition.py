"""The composition root of the process that writes to CRMs: opens feed and CRMs, runs a pusher for each target.

A target that cannot be opened (a mapping that is wrong) ends the process, with a word about file and key: it would
write nothing, and nobody would see why.
"""

import asyncio
import logging
import signal
import sys
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from crm_sync.account import Account
from crm_sync.adapters import opened
from crm_sync.follow_up import FollowUpWriter
from crm_sync.house import House, open_house
from crm_sync.look_up import NumberFinder
from crm_sync.mapping import Mapping as CrmMapping
from crm_sync.mapping import MappingFile, mapping_of
from crm_sync.port import Checked, Crm, CrmError
from crm_sync.pull import PullReader, words_of
from crm_sync.push import Feed, TargetPusher
from crm_sync.reconciler import Regular, TargetReconciler
from cti.clock import Clock, SystemClock
from cti.crm.reconcile_ports import RunFeed
from cti.errors import CtiError, SettingsError
from cti.model.crm import Answer, Rate
from cti.service import Service, Together, running
from cti.settings import Settings
from cti.settings.crm_sections import CrmTargetSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A target that is ready to be written to."""

    settings: CrmTargetSettings
    crm: Crm
    mapping: CrmMapping

    @property
    def rate(self) -> Rate:
        """Return what may leave for it: as the settings say, else as the CRM is known to bear."""
        return self.settings.rate(known=self.crm.capabilities.rate)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found of one target."""

    target: str
    checked: Checked | None
    problem: str = ""


async def work(settings: Settings, *, config: Path | None = None, ends_with_stdin: bool = False) -> None:
    """Write to all targets until SIGTERM, SIGINT, or the end of standard input.

    Raises SettingsError (no target, a mapping that is wrong), StorageError (no database).
    """
    if not settings.crm.targets:
        raise SettingsError("crm.targets: the settings name no CRM; add a [[crm.targets]] table")
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    writing = asyncio.create_task(_write(settings, config=config), name="writing to CRMs")
    told = asyncio.create_task(_told_to_end(stopped, with_stdin=ends_with_stdin), name="told to end")
    # also while it is asked who we are: a CRM may take a minute to answer
    try:
        await asyncio.wait({writing, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (writing, told):
            task.cancel()
        await asyncio.wait({writing, told})
    if not writing.cancelled():
        writing.result()  # it failed by itself, and says why


async def _write(settings: Settings, *, config: Path | None) -> None:
    """Write for ever."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(settings, config=config, clock=clock))
        services: list[Service] = []
        for target in settings.crm.targets:
            ready = await stack.enter_async_context(open_target(target, clock=clock))
            await check_in(house.feed, ready)
            services += [
                pusher_of(ready, house.feed, clock=clock),
                reconciler_of(ready, house.runs, clock=clock),
                *readers_of(ready, house, settings),
            ]
        await stack.enter_async_context(running(Together("CRMs", *services)))
        log.info("writing to %s", ", ".join(target.name for target in settings.crm.targets))
        await asyncio.Event().wait()


async def _told_to_end(stopped: asyncio.Event, *, with_stdin: bool) -> None:
    if with_stdin:
        await _first_of(stopped.wait(), _stdin_ends())
    else:
        await stopped.wait()


async def check(settings: Settings, *, only: str | None = None) -> list[Finding]:
    """Open each target and ask it who we are there. Raises SettingsError for a name that is not there."""
    names = [target.name for target in settings.crm.targets]
    if only is not None and only not in names:
        raise SettingsError(f"crm.targets: there is no {only!r}; there are: {', '.join(names) or 'none'}")
    return [await _check(target) for target in settings.crm.targets if only in (None, target.name)]


async def _check(target: CrmTargetSettings) -> Finding:
    try:
        async with open_target(target, clock=SystemClock()) as ready:
            return Finding(target.name, await ready.crm.check())
    except CrmError as error:
        return Finding(target.name, None, f"{error.answer}: {error}")
    except CtiError as error:
        return Finding(target.name, None, str(error))


@asynccontextmanager
async def open_target(target: CrmTargetSettings, *, clock: Clock) -> AsyncIterator[Opened]:
    """Read a target's mapping and open its CRM. Raises SettingsError."""
    tree = _read(target.mapping)
    known = {name: tree.pop(name) for name in MappingFile.model_fields if name in tree}
    mapping = mapping_of(known, target=target.name, where=str(target.mapping))
    own = tree.pop(target.adapter, {})
    if tree:
        allowed = ", ".join([*MappingFile.model_fields, target.adapter])
        raise SettingsError(
            f"{target.mapping}: {next(iter(tree))}: there is no such table; there are: {allowed}"
        )
    account = Account(target=target.name, url=target.url, secret=target.secret, where=str(target.mapping))
    async with opened(target.adapter, account, own, clock=clock) as crm:
        yield Opened(target, crm, mapping)


def pusher_of(ready: Opened, feed: Feed, *, clock: Clock) -> TargetPusher:
    """Make a target's pusher."""
    return TargetPusher(
        target=ready.settings.name,
        crm=ready.crm,
        mapping=ready.mapping,
        feed=feed,
        clock=clock,
        rate=ready.rate,
        in_flight=ready.settings.in_flight,
    )


def readers_of(ready: Opened, house: House, settings: Settings) -> list[Service]:
    """Make what reads a target's pulls, and what looks numbers up and writes follow-ups where it can.

    Raises SettingsError.
    """
    name, can = ready.settings.name, ready.crm.capabilities
    pulls = [one for one in settings.crm.pulls if one.target == name]
    if pulls and not can.pulls:
        raise SettingsError(
            f"crm.pulls: {pulls[0].name}: the adapter {ready.settings.adapter!r} cannot read records"
        )
    services: list[Service] = [
        PullReader(
            pull=one.name,
            source=one.source,
            crm=ready.crm,
            words=words_of(ready.mapping),
            intake=house.intake,
            rate=ready.rate,
        )
        for one in pulls
    ]
    if ready.settings.look_up and can.finds:
        finder = NumberFinder(target=name, crm=ready.crm, feed=house.look_ups, rate=ready.rate)
        services.append(finder)
    if ready.settings.follow_ups:
        if not can.follow_ups:
            raise SettingsError(
                f"crm.targets: {name}: the adapter {ready.settings.adapter!r} cannot write follow-ups"
            )
        writer = FollowUpWriter(
            target=name, crm=ready.crm, mapping=ready.mapping, feed=house.follow_ups, rate=ready.rate
        )
        services.append(writer)
    return services


def reconciler_of(ready: Opened, feed: RunFeed, *, clock: Clock) -> TargetReconciler:
    """Make a target's reconciler."""
    given = ready.settings
    return TargetReconciler(
        target=given.name,
        crm=ready.crm,
        mapping=ready.mapping,
        feed=feed,
        clock=clock,
        rate=ready.rate,
        regular=Regular(
            every=timedelta(minutes=given.reconcile_minutes),
            span=timedelta(hours=given.reconcile_hours),
            stand_back_seconds=given.reconcile_stand_back_seconds,
        ),
    )


async def check_in(feed: Feed, ready: Opened) -> None:
    """Ask the CRM once at the beginning: one that was stopped for its key goes on when the new one is good."""
    name = ready.settings.name
    try:
        found = await ready.crm.check()
    except CrmError as error:
        log.error("%s: %s: %s", name, error.answer, error)
        answer, message = error.answer, str(error)
    else:
        log.info("%s: it takes us for %s %s", name, found.who, found.version)
        for warning in found.warnings:
            log.warning("%s: %s", name, warning)
        answer, message = Answer.OK, ""
    with suppress(CtiError):  # the service is not up yet; the pusher finds out how the CRM stands by itself
        await feed.checked(name, answer, message)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: this is not TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None


async def _first_of(*waits: Any) -> None:
    tasks: Sequence[asyncio.Future[Any]] = [asyncio.ensure_future(one) for one in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _stdin_ends() -> None:
    """Return when whoever began us is gone: its end of the pipe closes however it died."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.read(1024):
        pass
