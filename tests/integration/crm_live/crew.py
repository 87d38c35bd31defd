"""Makes calls end in a service, and change afterwards: what there is to be written to a CRM."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import aiohttp

from cti.app import App
from cti.clock import SystemClock
from cti.crm.targets import CallFollowers
from cti.model.calls import Call, CallState, Join, Outcome
from cti.model.contact_rows import ContactQuery
from cti.model.contacts import NewContact, NewNumber
from cti.model.events import CallMoved
from cti.model.ids import new_call_id
from cti.model.queries import RecordingFacts
from cti.settings import Settings
from tests.builders import a_call, a_campaign

ADMIN: Final = "a-token-of-the-admin"


async def contacts_of(app: App, deals: Mapping[str, str]) -> Mapping[str, int]:
    """Make a contact of each lead that has a deal; return their ids."""
    database = app.database
    campaign = await database.campaigns.add_campaign(a_campaign(id=0))
    contacts = [
        NewContact(name=ref, numbers=(NewNumber(e164=f"+49309{n:06}", raw=""),), crm_ref=ref)
        for n, ref in enumerate(deals)
    ]
    if contacts:
        await database.campaigns.add_list(
            campaign_id=campaign.id, name="l", source="", contacts=contacts, at=SystemClock().now()
        )
    rows = await database.finding.contacts(ContactQuery(limit=len(deals) + 1))
    ids = {row.name: row.id for row in rows}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN}"}) as session:
        for ref, contact_id in ids.items():
            url, deal = f"{app.url}/api/v1/contacts/{contact_id}", {"crm_deal": deals[ref]}
            async with session.patch(url, json=deal) as answer:
                assert answer.status == 200, await answer.text()
    return ids


class Crew:
    """Lets calls end, and changes them afterwards: a disposition, a recording, another disposition."""

    def __init__(
        self,
        app: App,
        settings: Settings,
        chance: random.Random,
        contacts: Mapping[str, int],
        *,
        calls_per_second: float,
        called_thrice: int,
    ) -> None:
        """`contacts`: by the lead."""
        self._contacts = contacts
        self._app = app
        self._follow = CallFollowers(settings.crm.rules())
        self._per_second = calls_per_second
        self._thrice = called_thrice
        self._chance = chance
        self.calls: list[Call] = []

    async def make(self, refs: Sequence[str]) -> None:
        """Return when all calls have ended and changed for the last time."""
        homes = [*refs, *refs[: self._thrice], *refs[: self._thrice]]
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as tasks:
            for number, home in enumerate(homes):
                call = _ended(number, home, contact_id=self._contacts.get(home))
                await self._app.database.calls.place(
                    [(replace(call, state=CallState.PLACING, ended_at=None, outcome=None, joins=()), None)]
                )
                self._app.journal.tap(CallMoved(before=CallState.CONNECTED, call=call, at=call.placed_at))
                self.calls.append(call)
                tasks.create_task(self._change(session, call))
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) / self._per_second)

    async def _change(self, session: aiohttp.ClientSession, call: Call) -> None:
        await self._app.journal.flush()
        for words in ("early", None, "newest"):
            await asyncio.sleep(self._chance.uniform(0.1, 3.0))
            if words is None:
                await self._recorded(call)
            else:
                url = f"{self._app.url}/api/v1/calls/{call.id}/disposition"
                verdict = {"disposition": "sale", "note": f"{words} note of {call.id}"}
                async with session.put(url, json=verdict) as answer:
                    assert answer.status == 200, await answer.text()

    async def _recorded(self, call: Call) -> None:
        at = SystemClock().now()
        facts = RecordingFacts(path=f"{call.id}.wav", seconds=3.0)
        works = self._follow.changed(call.id, at)
        await self._app.database.recordings.save_recording(call.id, facts, at=at, works=works)


def _ended(number: int, home: str, *, contact_id: int | None) -> Call:
    """Return a call that has ended: each began at another second and was another while long."""
    began = (SystemClock().now() - timedelta(hours=2)).replace(microsecond=0) + timedelta(seconds=number)
    connected = began + timedelta(seconds=11)
    ended = connected + timedelta(seconds=20 + number)
    return a_call(
        id=new_call_id(began),
        number=f"+4930{9018200 + number}",
        placed_at=began,
        answered_at=connected - timedelta(seconds=1),
        connected_at=connected,
        ended_at=ended,
        state=CallState.ENDED,
        outcome=Outcome.CONNECTED,
        joins=(Join(agent_id=None, channel_id="x", joined_at=connected, left_at=ended),),
        contact_id=contact_id,
        crm_ref=home,
    )
