"""A campaign of very many contacts in the United States, written straight into the tables, of all that rules look at:
owners, zones, priorities, retries, attempts, consent, do-not-call entries.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cti.model.calls import Call, CallState, EndReason, Outcome
from cti.model.ids import new_call_id
from cti.storage import tables
from cti.storage.call_rows import attempt_values, call_values

CAMPAIGN: Final = 1
LIST: Final = 1
AGENTS: Final = 60
AREAS: Final[Mapping[tuple[str, str], float]] = {
    ("212", "America/New_York"): 0.34,
    ("305", "America/New_York"): 0.08,
    ("312", "America/Chicago"): 0.26,
    ("303", "America/Denver"): 0.07,
    ("310", "America/Los_Angeles"): 0.15,
    ("206", "America/Los_Angeles"): 0.05,
    ("907", "America/Anchorage"): 0.01,
    ("808", "Pacific/Honolulu"): 0.01,
    ("404", ""): 0.03,
}
"""Area codes and zones with their shares, about as people live there; of some numbers nobody told the zone."""
LISTED: Final = 0.06
"""Share of numbers on the do-not-call list."""
CONSENT: Final = 0.6
"""Share of contacts who gave consent; without it nobody is called in Florida (305) or Washington (206)."""
OWNED: Final = 0.3
"""Share of contacts that somebody owns."""
STATES: Final[Mapping[str, float]] = {"pending": 0.72, "waiting": 0.16, "done": 0.12}
TRIED: Final = 0.1
"""Share of contacts with attempts, of one to three each."""
BITE: Final = 5000

_Row = dict[str, Any]


async def fill(connection: AsyncConnection, contacts: int, *, now: datetime, seed: int = 1) -> None:
    """Write the rows."""
    chance = random.Random(seed)
    await connection.execute(insert(tables.campaigns), [_campaign()])
    await connection.execute(insert(tables.agents), [_agent(n) for n in range(1, AGENTS + 1)])
    await connection.execute(
        insert(tables.lists),
        [
            {
                "id": LIST,
                "campaign_id": CAMPAIGN,
                "name": "million",
                "source": "bench",
                "taken": contacts,
                "created_at": now,
            }
        ],
    )
    people = (_person(n, chance, now) for n in range(1, contacts + 1))
    while bite := list(islice(people, BITE)):
        await connection.execute(insert(tables.contacts), [contact for contact, *_ in bite])
        listed = [_listed(number["e164"], now) for _, number, *_ in bite if chance.random() < LISTED]
        await connection.execute(insert(tables.do_not_call), listed)
        await connection.execute(insert(tables.numbers), [number for _, number, *_ in bite])
        await connection.execute(insert(tables.list_entries), [entry for *_, entry, _ in bite])
        tries = [attempt for *_, attempts in bite for attempt in attempts]
        if tries:
            await connection.execute(insert(tables.calls), [call for call, _ in tries])
            await connection.execute(insert(tables.attempts), [attempt for _, attempt in tries])


def _person(n: int, chance: random.Random, now: datetime) -> tuple[_Row, _Row, _Row, list[tuple[_Row, _Row]]]:
    area, zone = chance.choices(list(AREAS), list(AREAS.values()))[0]
    e164 = f"+1{area}{2_000_000 + n:07d}"
    state = chance.choices(list(STATES), list(STATES.values()))[0]
    owner = chance.randint(1, AGENTS) if chance.random() < OWNED else None
    tries = chance.randint(1, 3) if chance.random() < TRIED else 0
    contact = {
        "id": n,
        "name": f"Contact {n}",
        "fields": {},
        "created_at": now,
        "owner_agent_id": owner,
        "zone": zone or None,
        "consent": "given" if chance.random() < CONSENT else None,
    }
    number = {
        "id": n,
        "contact_id": n,
        "position": 0,
        "e164": e164,
        "raw": e164,
        "zone": zone or None,
    }
    entry = {
        "id": n,
        "list_id": LIST,
        "campaign_id": CAMPAIGN,
        "contact_id": n,
        "state": state,
        "tries": tries,
        "owner_key": owner or 0,
        "zone": zone,
        "priority": chance.choice((0, 0, 0, 0, 0, 0, 0, 1, 5)),
        "rank": float(n),
        "due_at": now + timedelta(minutes=chance.randint(60, 6000)) if state == "waiting" else None,
        "reason": {"waiting": "retry_later", "done": "reached"}.get(state),
    }
    return contact, number, entry, [_attempt(n, e164, chance, now) for _ in range(tries)]


def _attempt(n: int, e164: str, chance: random.Random, now: datetime) -> tuple[_Row, _Row]:
    placed = now - timedelta(minutes=chance.randint(5, 20_000))
    call = Call(
        id=new_call_id(placed),
        node="pbx",
        number=e164,
        placed_at=placed,
        campaign_id=CAMPAIGN,
        list_id=LIST,
        contact_id=n,
        number_id=n,
        state=CallState.ENDED,
        ended_at=placed + timedelta(seconds=25),
        outcome=chance.choice((Outcome.NO_ANSWER, Outcome.BUSY, Outcome.MACHINE, Outcome.DROPPED)),
        end_reason=EndReason.HUNG_UP,
    )
    return call_values(call), attempt_values(call, None) | {"entry_id": n}


def _campaign() -> dict[str, Any]:
    return {
        "id": CAMPAIGN,
        "name": "million",
        "node": "pbx",
        "trunk": "carrier",
        "mode": "predictive",
        "state": "running",
        "ring_seconds": 30.0,
        "grace_seconds": 2.0,
        "message": "",
        "caller_id": "",
        "record": False,
        "max_lines": 100,
        "rules": {},
    }


def _agent(n: int) -> dict[str, Any]:
    return {
        "id": n,
        "login": f"agent{n}",
        "name": f"Agent {n}",
        "endpoint": f"a{n:03d}",
        "node": "pbx",
        "state": "ready",
    }


def _listed(e164: str, now: datetime) -> _Row:
    return {"key": e164, "reason": "asked for it", "added_by": "bench", "added_at": now}
