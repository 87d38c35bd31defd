"""What is done with a CRM to see whether it is as its fake: a call is written, changed, written again, read, gone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from crm_sync.mapping import Mapping
from crm_sync.port import CallWrite, Crm, PushResult
from cti.model.crm import Answer, CallLog, Link, RecordRef
from cti.model.ids import new_call_id

LOOKS = 10
"""So often it is looked for what was written; some CRMs show it late."""


def a_call_of(now: datetime, *, ref: str, number: str) -> CallLog:
    """Build a call that ended a minute ago, on this record."""
    began = now - timedelta(seconds=120)
    return CallLog(
        call_id=new_call_id(began),
        number=number,
        placed_at=began,
        answered_at=began + timedelta(seconds=10),
        connected_at=began + timedelta(seconds=11),
        ended_at=began + timedelta(seconds=60),
        outcome="connected",
        talk_seconds=49.0,
        total_seconds=60.0,
        contact="Waihu test",
        note="written by a test, to be deleted",
        crm_ref=ref,
    )


def write_of(mapping: Mapping, log: CallLog) -> CallWrite:
    """Return the write of a call that was never written."""
    return mapping.write(log, Link(target=mapping.target, call_id=log.call_id))


async def acted_out(
    crm: Crm,
    first: CallWrite,
    changed: CallWrite,
    delete: Callable[[RecordRef], Awaitable[None]],
    *,
    pause_seconds: float = 0.0,
) -> None:
    """Write a call, change it, write it as one whose answer was lost, read it back, delete it, and write it again."""
    written = await _ok(crm, first)
    assert written.remote is not None
    try:
        again = await _ok(crm, replace(changed, remote=written.remote))
        assert again.remote == written.remote
        await asyncio.sleep(pause_seconds)
        unsure = await _ok(crm, replace(changed, unsure=True))
        assert unsure.remote == written.remote, "it was doubled"
        for _ in range(LOOKS):
            found = await crm.read_back([first.log.call_id])
            if found:
                break
            await asyncio.sleep(pause_seconds)
        assert [one.remote for one in found] == [written.remote]
        assert found[0].home == first.home
        assert found[0].started_at is not None
        assert abs((found[0].started_at - first.log.placed_at).total_seconds()) < 60
    finally:
        await delete(written.remote)
    await asyncio.sleep(pause_seconds)
    (gone,) = await crm.push([replace(first, remote=written.remote)])
    assert gone.answer is Answer.DELETED, gone.message


async def _ok(crm: Crm, write: CallWrite) -> PushResult:
    (result,) = await crm.push([write])
    assert result.answer is Answer.OK, result.message
    return result
