"""Imports, one after the other: the file is kept, read and checked as a whole, then written in small commits.

A service that is ended or killed goes on where it was: a file that was being read is read again, one that was being
written is written on from the last commit, an undoing is undone further. Nothing is written before the whole file was
read, so that a file that cannot be trusted leaves nothing.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from cti.clock import Clock
from cti.contacts.columns import check_mapping
from cti.contacts.doubles import counted
from cti.contacts.encodings import check_encoding
from cti.contacts.phone import check_region
from cti.contacts.ports import ImportStore
from cti.contacts.reader import HowToRead
from cti.contacts.samples import MOST_SAMPLES, sample_of
from cti.contacts.stage_process import staged
from cti.contacts.staging import Bite, bites
from cti.errors import BadInput, CtiError, StorageError
from cti.model.campaign_rules import Order
from cti.model.doubles import DoubleRule
from cti.model.imports import HowFar, Import, ImportOrder, ImportState, ReadFile, Refusal
from cti.service import every

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60.0
"""Without being woken: after a database that was away."""
OUR_FAULT: Final = "something went wrong here; the log has the details"


class Importer:
    """The service, and what the API asks of it."""

    name = "importer"

    def __init__(
        self, *, store: ImportStore, folder: Path, clock: Clock, order_of: Callable[[int], Order]
    ) -> None:
        """`folder`: where files lie while they are imported. `order_of`: how a campaign orders its contacts."""
        self._store = store
        self._folder = folder
        self._clock = clock
        self._order_of = order_of
        self._wake = asyncio.Event()
        self._ended: dict[int, asyncio.Event] = {}
        self._reading: dict[int, HowFar] = {}

    async def load(self) -> None:
        """Remove files that no import needs: uploads that broke off with the service."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        needed = {one.file for one in await self._store.unfinished()}
        for path in self._folder.iterdir():
            if path.suffix in (".upload", ".staged") and path.stem not in needed:
                path.unlink()

    async def receive(self, order: ImportOrder, chunks: AsyncIterator[bytes]) -> Import:
        """Keep a file and note the import; it begins when those before it are done.

        Raises BadInput (an order that cannot be carried out), NotFound (campaign), Conflict (name of the list).
        """
        check_mapping(order.mapping)
        check_region(order.region)
        order = replace(order, encoding=check_encoding(order.encoding))
        token = secrets.token_hex(16)
        try:
            size = await self._keep(self._path(token, "upload"), chunks)
            now = await self._store.add_import(order, file=token, size_bytes=size, at=self._clock.now())
        except BaseException:
            self._forget(token)
            raise
        self._wake.set()
        return now

    async def finished(self, import_id: int) -> Import:
        """Return the import when it is done, failed or undone; waits for that."""
        ended = self._ended.setdefault(import_id, asyncio.Event())
        now = await self._store.get_import(import_id)
        if now.state in (ImportState.DONE, ImportState.FAILED, ImportState.UNDONE):
            self._ended.pop(import_id, None)
            return now
        await ended.wait()
        return await self._store.get_import(import_id)

    async def undo(self, import_id: int, *, by: str) -> Import:
        """Begin to undo. Raises NotFound, Conflict."""
        now = await self._store.begin_undo(import_id, by=by, at=self._clock.now())
        self._wake.set()
        return now

    async def get(self, import_id: int) -> Import:
        """Raises NotFound."""
        return await self._store.get_import(import_id)

    async def imports(
        self, *, campaign_id: int | None = None, before_id: int | None = None, limit: int = 50
    ) -> list[Import]:
        """List imports, newest first."""
        return await self._store.imports(campaign_id=campaign_id, before_id=before_id, limit=limit)

    async def refusals(self, import_id: int, *, after_id: int = 0, limit: int = 100) -> Sequence[Refusal]:
        """List refused rows in the order of the file. Raises NotFound."""
        return await self._store.refusals(import_id, after_id=after_id, limit=limit)

    def how_far(self, now: Import) -> HowFar:
        """Return how far the reading of the file has come."""
        if now.read is not None:
            return HowFar(bytes=now.size_bytes, rows=now.read.rows + now.read.refused)
        return self._reading.get(now.id, HowFar(bytes=0, rows=0))

    async def run(self) -> None:
        """Work until cancelled."""
        await every(LOOK_SECONDS, self.step, name=self.name, wake=self._wake)

    async def step(self) -> None:
        """Bring everything unfinished to its end."""
        while unfinished := await self._store.unfinished():
            await self._to_its_end(unfinished[0])

    async def _to_its_end(self, now: Import) -> None:
        try:
            await self._go_on(now)
        except StorageError as error:
            if error.temporary:
                raise
            await self._give_up(now.id, str(error))
        except CtiError as error:
            await self._give_up(now.id, str(error))
        except Exception:
            log.exception("import %d failed", now.id)
            await self._give_up(now.id, OUR_FAULT)
        self._reading.pop(now.id, None)
        await self._tell(now)

    async def _tell(self, now: Import) -> None:
        after = await self._store.get_import(now.id)
        if after.state is ImportState.UNDOING:
            return  # it failed while it was written: next it is undone
        self._forget(now.file)
        log.info("import %d (%s): %s", now.id, now.order.name, after.error or after.state.value)
        if ended := self._ended.pop(now.id, None):
            ended.set()

    async def _give_up(self, import_id: int, error: str) -> None:
        now = await self._store.get_import(import_id)
        if now.state is ImportState.WRITING:
            await self._store.begin_undo(import_id, by="", at=self._clock.now(), error=error)
        elif now.state is not ImportState.UNDOING:
            await self._store.fail(import_id, error, at=self._clock.now())
        else:
            raise StorageError(f"import {import_id} cannot be undone now: {error}", temporary=True)

    async def _go_on(self, now: Import) -> None:
        if now.state is ImportState.UNDOING:
            while now.state is ImportState.UNDOING:
                now = await self._store.undo_bite(now.id, at=self._clock.now())
                await asyncio.sleep(0)
            return
        if now.state is ImportState.WRITING:
            await self._write(now)
            return
        now = await self._store.begin_reading(now.id)
        read = await self._read(now)
        if now.order.dry_run:
            await self._try_out(now, read)
        else:
            await self._write(await self._store.begin_writing(now.id, read, at=self._clock.now()))

    async def _read(self, now: Import) -> ReadFile:
        source = self._path(now.file, "upload")
        if not source.exists():
            raise BadInput("the file is gone; import it again")
        order = now.order
        how = HowToRead(
            region=order.region,
            format=order.format,
            encoding=order.encoding,
            mapping=order.mapping,
            doubles=order.doubles,
        )
        async for step in staged(source, self._path(now.file, "staged"), how):
            if isinstance(step, ReadFile):
                return step
            self._reading[now.id] = step
        raise BadInput("the file could not be read to its end")

    async def _write(self, now: Import) -> None:
        path = self._path(now.file, "staged")
        if not path.exists():
            raise BadInput("the checked file is gone; import it again")
        order = self._order_of(now.order.campaign_id)
        for bite in bites(path, begin=now.position):
            now = await self._store.write(now, bite, order=order, at=self._clock.now())
            await asyncio.sleep(0)
        await self._store.finish(now.id, at=self._clock.now())

    async def _try_out(self, now: Import, read: ReadFile) -> None:
        doubles, counts = now.order.doubles, now.counts
        samples: list[dict[str, object]] = []
        for bite in bites(self._path(now.file, "staged")):
            again = [row for row in bite.rows if row.first_line is not None]
            fresh = tuple(row for row in bite.rows if row.first_line is None)
            plan = await self._store.look(now, replace(bite, rows=fresh))
            plan.again += len(again) if doubles.rule is not DoubleRule.SKIP else 0
            counts = counted(counts, plan, doubles, bite.refused)
            samples += [sample_of(row) for row in bite.rows[: MOST_SAMPLES - len(samples)]]
            refused = Bite(rows=(), refused=(*bite.refused, *plan.refused), end=bite.end)
            await self._store.add_refusals(now.id, refused)
            await asyncio.sleep(0)
        await self._store.finish(now.id, at=self._clock.now(), counts=counts, samples=samples, read=read)

    async def _keep(self, path: Path, chunks: AsyncIterator[bytes]) -> int:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("wb") as file:
            async for chunk in chunks:
                file.write(chunk)
            size = file.tell()
            await asyncio.to_thread(_to_disk, file)
        return size

    def _path(self, token: str, kind: str) -> Path:
        return self._folder / f"{token}.{kind}"

    def _forget(self, token: str) -> None:
        for kind in ("upload", "staged"):
            with suppress(FileNotFoundError):
                self._path(token, kind).unlink()


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
