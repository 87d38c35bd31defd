"""Attempts written per second as the engine and the journal write them, beside bare inserts; on a growing database.

Ours: a batch of attempts is placed (entry, call, attempt, leg) and later saved as ended, a commit each. Bare: the rows
of `calls` alone, inserted and later updated by key, a commit each, by SQLAlchemy Core into the same schema.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks import said
from benchmarks.child import cpu_seconds, rss_mb
from benchmarks.numbers import busy_number
from benchmarks.rows import ratio
from cti.clock import SystemClock
from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.contacts import Campaign, Candidate, NewContact, NewNumber
from cti.model.ids import new_call_id
from cti.storage import tables
from cti.storage.call_rows import call_values
from cti.storage.database import Database, open_database

NAME = "storage"
BATCH = 20
"""Calls per commit: about what the engine takes at 200 calls a second."""
MEASURED = 2000
"""Calls per measurement, each side, in turns of a tenth."""
SIZES = (0, 20_000, 60_000)
"""Calls in the database when a measurement begins."""
TURNS = 10


async def run() -> None:
    """Measure at each size."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        ours_url, bare_url = (f"sqlite:///{Path(place) / name}.db" for name in ("ours", "bare"))
        async with open_database(ours_url) as ours, open_database(bare_url):
            bare = create_async_engine(bare_url.replace("sqlite:", "sqlite+aiosqlite:"))
            try:
                await _grow_and_measure(ours, bare)
            finally:
                await bare.dispose()


async def _grow_and_measure(ours: Database, bare: AsyncEngine) -> None:
    stored = 0
    campaign = await ours.campaigns.add_campaign(Campaign(id=0, name="bench", node="pbx", trunk="carrier"))
    with said.bar() as progress:
        task = progress.add_task(NAME, total=SIZES[-1] + MEASURED)
        for size in SIZES:
            while stored < size:
                await _ours(ours, await _candidates(ours, campaign, 1000, stored), batch=500)
                await _bare(bare, _calls(1000), batch=500)
                stored += 1000
                progress.update(task, completed=stored)
            await _measure(ours, bare, campaign, stored)
            stored += MEASURED


async def _measure(ours: Database, bare: AsyncEngine, campaign: Campaign, stored: int) -> None:
    seconds = {"ours": 0.0, "bare": 0.0}
    cpu = {"ours": 0.0, "bare": 0.0}
    part = MEASURED // TURNS
    for turn in range(TURNS):
        chosen = await _candidates(ours, campaign, part, stored + turn * part)
        for side in seconds:
            began, used = time.perf_counter(), cpu_seconds()
            await (
                _ours(ours, chosen, batch=BATCH) if side == "ours" else _bare(bare, _calls(part), batch=BATCH)
            )
            seconds[side] += time.perf_counter() - began
            cpu[side] += cpu_seconds() - used
    rates = {side: MEASURED / spent for side, spent in seconds.items()}
    said.step(f"{NAME}: {stored} calls stored: {rates['ours']:.0f} attempts a second")
    said.row(
        NAME,
        {
            "stored": stored,
            "batch": BATCH,
            "attempts_per_second": round(rates["ours"]),
            "bare_per_second": round(rates["bare"]),
            "ratio": ratio(rates["ours"], rates["bare"]),
            "cpu_ms_per_call": round(1000 * cpu["ours"] / MEASURED, 3),
            "bare_cpu_ms_per_call": round(1000 * cpu["bare"] / MEASURED, 3),
            "rss_mb": round(rss_mb(), 1),
        },
    )


async def _candidates(ours: Database, campaign: Campaign, count: int, first: int) -> list[Candidate]:
    """Import contacts and return them as the next to be dialed."""
    numbers = [busy_number(n) for n in range(first, first + count)]
    contacts = [NewContact(name=number, numbers=(NewNumber(e164=number, raw=number),)) for number in numbers]
    await ours.campaigns.add_list(
        campaign_id=campaign.id, name=f"{first}", source="bench", contacts=contacts, at=SystemClock().now()
    )
    return await ours.campaigns.next_candidates(campaign.id, limit=count)


async def _ours(ours: Database, candidates: Sequence[Candidate], *, batch: int) -> None:
    calls = [_of(call, one) for call, one in zip(_calls(len(candidates)), candidates, strict=True)]
    for at in range(0, len(calls), batch):
        part = calls[at : at + batch]
        await ours.calls.place(list(zip(part, candidates[at : at + batch], strict=True)))
        await ours.calls.save([_ended(call) for call in part])


async def _bare(bare: AsyncEngine, calls: Sequence[Call], *, batch: int) -> None:
    for at in range(0, len(calls), batch):
        part = calls[at : at + batch]
        async with bare.begin() as connection:
            await connection.execute(insert(tables.calls), [call_values(call) for call in part])
        async with bare.begin() as connection:
            await connection.execute(_UPDATE, [_changed(_ended(call)) for call in part])


_MOVING = ("state", "is_open", "ended_at", "outcome", "end_reason", "cause", "cause_text", "sip_code")
_UPDATE = (
    update(tables.calls)
    .where(tables.calls.c.id == bindparam("call"))
    .values({name: bindparam(f"new_{name}") for name in _MOVING})
)


def _changed(call: Call) -> dict[str, Any]:
    values = call_values(call)
    return {"call": call.id, **{f"new_{name}": values[name] for name in _MOVING}}


def _calls(count: int) -> list[Call]:
    now = SystemClock().now()
    return [
        Call(id=new_call_id(now), node="pbx", trunk="carrier", number=busy_number(n), placed_at=now)
        for n in range(count)
    ]


def _of(call: Call, one: Candidate) -> Call:
    return replace(
        call,
        number=one.number,
        campaign_id=one.campaign_id,
        list_id=one.list_id,
        contact_id=one.contact_id,
        number_id=one.number_id,
    )


def _ended(call: Call) -> Call:
    return replace(
        call,
        state=CallState.ENDED,
        channel="PJSIP/carrier-00000001",
        dialing_at=call.placed_at,
        ringing_at=call.placed_at,
        ended_at=call.placed_at + timedelta(seconds=1),
        outcome=Outcome.BUSY,
        end_reason=EndReason.HUNG_UP,
        cause=17,
        cause_text="User busy",
        sip_code=486,
    )
