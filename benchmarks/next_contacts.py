"""Time to choose the next 50 of a million contacts under all rules, beside a plain indexed LIMIT 50; both databases.

Ours: lanes, heads, the compliance gate with its facts (hours in several zones, do-not-call, attempts, consent), and the
parking of those who are refused, which is kept in memory and written after (its time stands in `parking_p50_ms`, its
CPU in `cpu_ms`). Bare: the first 50 pending entries of the campaign with names and numbers,
by SQLAlchemy Core, no rule asked. Those chosen count as dialed after each turn, so that each choice is another one.
As in a service that has run for a while, PostgreSQL has vacuumed what was written, and the garbage collector does not
look at what was imported.
"""

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from benchmarks import million, said
from benchmarks.child import cpu_seconds
from benchmarks.rows import Spread, ratio
from cti.cli.service import spare_the_collector
from cti.compliance.gate import ComplianceGate
from cti.compliance.profiles import SHIPPED, load_profiles
from cti.dialer.parker import Parker
from cti.dialer.selector import Selector
from cti.model.campaign_rules import CampaignRules, ComplianceRules
from cti.model.contacts import Campaign, Candidate
from cti.model.standing import NOBODY
from cti.storage import tables
from cti.storage.address import parse_address
from cti.storage.database import Database, open_database
from tests.integration.postgres import running_postgres

NAME: Final = "next_contacts"
CONTACTS: Final = int(os.environ.get("WAIHU_BENCH_CONTACTS", "1000000"))
WANTED: Final = 50
TURNS: Final = 400
WARM_UP: Final = 20
FREE: Final = 20
"""Agents who are free at a turn, of `million.AGENTS`: the lanes of so many owners are looked at."""
NOW: Final = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
"""A Tuesday, 9:30 in New York, 8:30 in Chicago; in the mountains and on the coast it is too early."""
RULES: Final = CampaignRules(
    compliance=ComplianceRules(profile="us", overrides={"attempts_per_day": 2, "attempts_total": 3})
)
_entries = tables.list_entries.c
_BARE: Final = (
    select(_entries.id, tables.contacts.c.name, tables.numbers.c.e164)
    .join_from(tables.list_entries, tables.contacts, tables.contacts.c.id == _entries.contact_id)
    .join(
        tables.numbers,
        (tables.numbers.c.contact_id == _entries.contact_id)
        & (tables.numbers.c.position == _entries.number_position),
    )
    .where(_entries.campaign_id == million.CAMPAIGN, _entries.state == "pending")
    .order_by(_entries.id)
    .limit(WANTED)
)
_DIALED: Final = (
    update(tables.list_entries).where(_entries.id.in_(bindparam("ids", expanding=True))).values(state="done")
)


async def run() -> None:
    """Measure on SQLite, then on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        await _on("sqlite", f"sqlite:///{Path(place) / 'ours'}.db")
    with running_postgres() as server:
        await _on("postgresql", server.make_database("bench"))


async def _on(kind: str, url: str) -> None:
    async with open_database(url) as ours, _engine(url) as bare:
        said.step(f"{NAME}: {kind}: {CONTACTS} contacts are written")
        async with bare.begin() as connection:
            await million.fill(connection, CONTACTS, now=NOW)
        await _settle(kind, bare)
        spare_the_collector()
        await _measure(kind, ours, bare)


async def _settle(kind: str, bare: AsyncEngine) -> None:
    """Do what the database does by itself within minutes, and would do now in the middle of the measurement."""
    async with bare.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("ANALYZE" if kind == "sqlite" else "VACUUM (ANALYZE)"))


@asynccontextmanager
async def _engine(url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(parse_address(url).url)
    try:
        yield engine
    finally:
        await engine.dispose()


async def _measure(kind: str, ours: Database, bare: AsyncEngine) -> None:
    [stored] = await ours.campaigns.campaigns()
    campaign = replace(stored, rules=RULES)
    gate = ComplianceGate(store=ours.compliance, profiles=load_profiles(SHIPPED))
    parker = Parker(store=ours.queue)
    selector = Selector(store=ours.queue, gate=gate, parker=parker)
    chance, chosen = random.Random(2), 0
    seconds, bare_seconds, parking = list[float](), list[float](), list[float]()
    cpu = 0.0
    before = await _parked(ours)
    for turn in range(TURNS + WARM_UP):
        now = NOW + timedelta(seconds=turn)
        used = cpu_seconds()
        took, found = await _choose(selector, campaign, now, chance)
        cpu += cpu_seconds() - used
        bare_took = await _plain(bare)
        if turn >= WARM_UP:
            seconds.append(took)
            bare_seconds.append(bare_took)
        chosen += len(found)
        async with bare.begin() as connection:
            await connection.execute(_DIALED, {"ids": [one.entry_id for one in found]})
        used, began = cpu_seconds(), time.perf_counter()
        await parker.step()
        cpu += cpu_seconds() - used
        if turn >= WARM_UP:
            parking.append(time.perf_counter() - began)
    _tell(kind, seconds, bare_seconds, parking, cpu, chosen, (await _parked(ours)) - before)


async def _choose(
    selector: Selector, campaign: Campaign, now: datetime, chance: random.Random
) -> tuple[float, list[Candidate]]:
    owners = [NOBODY, *chance.sample(range(1, million.AGENTS + 1), FREE)]
    began = time.perf_counter()
    found = await selector.choose(campaign, wanted=WANTED, owners=owners, now=now)
    return time.perf_counter() - began, found


async def _plain(bare: AsyncEngine) -> float:
    began = time.perf_counter()
    async with bare.connect() as connection:
        rows = (await connection.execute(_BARE)).all()
    assert len(rows) == WANTED
    return time.perf_counter() - began


async def _parked(ours: Database) -> Counter[str]:
    counts = await ours.reasons.reason_counts(million.CAMPAIGN)
    return Counter({count.reason: count.entries for count in counts if count.reason})


def _tell(
    kind: str,
    seconds: list[float],
    bare_seconds: list[float],
    parking: list[float],
    cpu: float,
    chosen: int,
    parked: Counter[str],
) -> None:
    took, plain, after = (
        Spread.of([1000 * one for one in each]) for each in (seconds, bare_seconds, parking)
    )
    said.step(f"{NAME}: {kind}: p99 {took.p99:.1f} ms; parked meanwhile: {dict(parked)}")
    said.row(
        NAME,
        {
            "database": kind,
            "contacts": CONTACTS,
            "wanted": WANTED,
            "turns": TURNS,
            "p50_ms": round(took.p50, 2),
            "p95_ms": round(took.p95, 2),
            "p99_ms": round(took.p99, 2),
            "most_ms": round(took.most, 2),
            "bare_p50_ms": round(plain.p50, 2),
            "bare_p99_ms": round(plain.p99, 2),
            "parking_p50_ms": round(after.p50, 2),
            "cpu_ms": round(1000 * cpu / (TURNS + WARM_UP), 2),
            "ratio": ratio(took.p50, plain.p50),
            "chosen": chosen,
            "refused": parked.total(),
        },
    )


if __name__ == "__main__":
    asyncio.run(run())
