"""Leads of a real CRM in a campaign's list, by the process as it is, which is killed meanwhile.

What its users do to a lead is done to the list; a callback of ours stands on the lead; a call stands there once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from cti.clock import SystemClock
from cti.crm.feed import TableFeed
from cti.model.calls import Call, CallState, Outcome
from cti.model.events import CallMoved
from cti.model.ids import new_call_id
from tests.builders import a_call
from tests.integration.crm_live.pull_houses import BottlePulls, OdooPulls, PullHouse, RestBottlePulls
from tests.integration.crm_live.pull_site import LEADS, PAGE, WAIT_SECONDS, Site, a_site, number
from tests.integration.crm_live.sync_process import LOOK_SECONDS

HOUSES: Final[Mapping[str, Callable[[Any], PullHouse]]] = {
    "bottle": BottlePulls,
    "bottle-rest": RestBottlePulls,
    "odoo": OdooPulls,
}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.crm_live) for name in HOUSES])
def house(request: pytest.FixtureRequest) -> PullHouse:
    """Give each CRM in turn, with leads of one test. Not async: servers of the whole run live in another event loop."""
    server = request.param.partition("-")[0]
    return HOUSES[request.param](request.getfixturevalue(f"{server}_server"))


async def test_sixty_leads(house: PullHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are short, so that a kill costs seconds; they are still longer than a request may take."""
    monkeypatch.setattr("cti.wiring.crm.TableFeed", partial(TableFeed, lease_for=timedelta(seconds=10)))
    async with a_site(house, tmp_path) as site:

        async def some() -> bool:
            return len(await site.contacts()) >= PAGE

        async def all_of_them() -> bool:
            return len(await site.contacts()) == LEADS

        await site.until(some, "the first leads")
        await site.killed()
        await site.until(all_of_them, "all leads")
        await _stand_as_there(house, site)
        callback = await _callback_stands_there(house, site)
        await _called(house, site)
        await _callback_is_over(house, site, callback)
        await _left_as_there(house, site)
        await _dialed_by_the_new_number(house, site)
        assert len(await site.contacts()) == LEADS, "each once, and none was taken away"


async def _stand_as_there(house: PullHouse, site: Site) -> None:
    found = await site.contacts()
    assert set(found) == set(site.refs)
    for n, ref in enumerate(site.refs):
        one = found[ref]
        assert (one["name"], one["owner"]) == (f"Person {n}", house.owner)
        assert [row["e164"] for row in one["numbers"]] == [number(n)]
        if house.deal is not None:
            assert one["crm_deal"] == f"crm/{ref}"
            assert one["deal"] == {"ref": f"crm/{ref}", "name": f"Deal {n}", **house.deal}
    assert await site.dialed_next() == {number(n) for n in range(LEADS)}


async def _callback_stands_there(house: PullHouse, site: Site) -> int:
    """Plan one and move it; return its id."""
    contact = (await site.contacts())[site.refs[0]]
    at = (SystemClock().now() + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0)
    body = {"contact_id": contact["id"], "campaign": "autumn", "agent": house.owner, "at": at.isoformat()}
    callback = int((await site.told("POST", "callbacks", json=body | {"note": "the offer"}))["id"])
    await _stands_on(house, site, [at.date()])
    later = at + timedelta(days=4)
    await site.told("PATCH", f"callbacks/{callback}", json={"at": later.isoformat()})
    await _stands_on(house, site, [later.date()])
    return callback


async def _callback_is_over(house: PullHouse, site: Site, callback: int) -> None:
    assert len(await house.follow_ups(site.refs[0])) == 1, "once, after a kill too"
    await site.told("PATCH", f"callbacks/{callback}", json={"state": "cancelled"})
    await _stands_on(house, site, [])
    all_of_them = (await site.told("GET", "callbacks", params={"state": "all"}))["callbacks"]
    assert [one["id"] for one in all_of_them] == [callback], "what we wrote there is no wish of theirs"
    history = (await site.told("GET", f"callbacks/{callback}"))["history"]
    assert [one["kind"] for one in history] == ["made", "moved", "cancelled"]


async def _stands_on(house: PullHouse, site: Site, days: Sequence[date]) -> None:
    async def true() -> bool:
        return list(await house.follow_ups(site.refs[0])) == list(days)

    await site.until(true, f"follow-ups {days}")


async def _called(house: PullHouse, site: Site) -> None:
    """Call the second lead; kill the process while it writes that. It stands on the lead once, and no deal is told."""
    ref = site.refs[1]
    contact = (await site.contacts())[ref]
    call = await _ended(site, contact["id"])
    links = site.app.database.crm.link_counts
    async with asyncio.timeout(WAIT_SECONDS):
        # The first write that is seen at the CRM may be the rest of the callback's.
        while not any(one.unsure or one.written for one in await links()):
            await asyncio.sleep(LOOK_SECONDS)
    await site.killed()

    async def written_there() -> bool:
        return [(one.written, one.unsure) for one in await links()] == [(1, 0)]

    await site.until(written_there, "the call")
    assert [one.call_id for one in await house.standing() if one.home == ref] == [call.id]
    assert await house.told(site.refs) == {}, "the record itself is the deal"


async def _ended(site: Site, contact_id: int) -> Call:
    began = (SystemClock().now() - timedelta(minutes=5)).replace(microsecond=0)
    call = a_call(id=new_call_id(began), number=number(1), placed_at=began, contact_id=contact_id)
    ended = replace(
        call, state=CallState.ENDED, outcome=Outcome.NO_ANSWER, ended_at=began + timedelta(seconds=30)
    )
    await site.app.database.calls.place([(call, None)])
    site.app.journal.tap(CallMoved(before=call.state, call=ended, at=began))
    return call


async def _left_as_there(house: PullHouse, site: Site) -> None:
    """Have a lead end in each way; the last one opts out."""
    ways = [one for one in house.ways if one != "opted_out"]
    ends = dict(zip(range(10, 10 + len(ways)), ways, strict=True)) | {LEADS - 1: "opted_out"}
    for n, why in ends.items():
        await house.end(site.refs[n], why)
    gone = {number(n) for n in ends}

    async def true() -> bool:
        return not gone & await site.dialed_next()

    await site.until(true, f"the end of {ends}")
    for n, why in ends.items():
        said = await site.why(number(n))
        assert f"{why.replace('_', ' ')} in crm" in said, said
    rest = {number(n) for n in range(LEADS) if n not in ends}
    assert await site.dialed_next() >= rest - {number(0)}, "and no other"


async def _dialed_by_the_new_number(house: PullHouse, site: Site) -> None:
    await house.renumber(site.refs[20], "030 9099999")

    async def true() -> bool:
        return "+49309099999" in await site.dialed_next()

    await site.until(true, "the new number")
    assert number(20) not in await site.dialed_next()
