"""A crowd of contacts with every sort of fact, the same in each store; made by chance from one seed."""

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from cti.contacts.changes import Change
from cti.contacts.settling import Viewer
from cti.model.calls import Call, CallState, EndedBy, EndReason, Join, Outcome
from cti.model.contacts import EntryState, NewContact, NewNumber
from cti.model.queries import RecordingFacts
from cti.storage import tables
from tests.builders import NOW, a_call, a_campaign, later
from tests.fakes.memory_looks import set_columns
from tests.fakes.memory_store import MemoryStore

NAMES = ("Ada", "ada lovelace", "Ärzte 50% _", "王芳", 'Bob\'s "Bar"', "O\\Neil", "CARL", "Żaneta", "ß/x")
TAGS = ("vip", "VIP", "王", "call back", "100%")
STAGES = ("new", "won", "lost")
ZONES = ("Europe/Berlin", "Asia/Shanghai", "America/New_York")
HEADERS = ("city", 'a"b', "王", "x.y", "$")
CITIES = ("Ulm", "ULM", "Köln", "%", "_", "a\\b")
REASONS = ("stopped", "outside_hours", "given_up")
DISPOSITIONS = ("sold", "call back", "no")
LOGINS = ("anna", "bob")
CAMPAIGNS = ("autumn", "winter")


@dataclass(frozen=True)
class Crowd:
    """What was stored, under the store's own ids."""

    contacts: tuple[int, ...]
    lists: tuple[int, ...]
    viewer: Viewer

    def number_of(self, contact_id: int) -> int:
        """Return the how manieth contact that is, from 0: the same in every store."""
        return self.contacts.index(contact_id)


async def a_crowd(store: Any, *, count: int = 60, seed: int = 7) -> Crowd:
    """Store the crowd."""
    chance = random.Random(seed)
    campaigns = {name: (await store.campaigns.add_campaign(a_campaign(name=name))).id for name in CAMPAIGNS}
    agents = {}
    for login in LOGINS:
        agent = await store.agents.add_agent(login=login, name=login, endpoint=f"p-{login}", node="pbx")
        agents[login] = agent.id
    lists, contacts, entries = [], [], []
    for at, (campaign, size) in enumerate(
        (("autumn", count // 2), ("winter", count // 3), ("autumn", count // 6))
    ):
        result = await store.campaigns.add_list(
            campaign_id=campaigns[campaign],
            name=f"list {at}",
            source="",
            contacts=[_contact(chance) for _ in range(size)],
            at=later(at * 86_400),
        )
        lists.append(result.list_id)
        before = set(contacts)
        stored = await every_contact(store)
        new = [contact_id for contact_id in stored if contact_id not in before]
        contacts += new
        entries += [entry.id for one in new for entry in await store.finding.entries(one)]
    for contact_id in contacts:
        await _marks(store, chance, contact_id, agents)
    for entry_id in entries:
        await mark_entry(store, entry_id, **_entry(chance))
    await _second_places(store, chance, contacts, lists, campaigns)
    await _calls(store, chance, contacts, lists, agents, campaigns)
    from zoneinfo import ZoneInfo

    viewer = Viewer(
        now=NOW, zone=ZoneInfo("Europe/Berlin"), me=agents["anna"], agents=agents, campaigns=campaigns
    )
    return Crowd(tuple(contacts), tuple(lists), viewer)


async def every_contact(store: Any) -> list[int]:
    """Return the ids of all contacts, in the order in which they were stored."""
    from cti.model.contact_rows import ContactQuery, Sort

    rows = await store.finding.contacts(ContactQuery(sort=Sort.OLDEST, limit=10_000))
    return [row.id for row in rows]


async def mark_contact(store: Any, contact_id: int, **columns: Any) -> None:
    """Write columns of a contact that no port of this suite writes."""
    if isinstance(store, MemoryStore):
        set_columns(store.tables, contact_id, columns)
        return
    async with store.finding._connections.writing() as connection:
        change = update(tables.contacts).where(tables.contacts.c.id == contact_id).values(columns)
        await connection.execute(change)


async def mark_entry(store: Any, entry_id: int, **columns: Any) -> None:
    """Write columns of an entry."""
    if isinstance(store, MemoryStore):
        for name, value in columns.items():
            setattr(store.tables.entries[entry_id], name, value)
        return
    async with store.finding._connections.writing() as connection:
        entries = tables.list_entries
        await connection.execute(update(entries).where(entries.c.id == entry_id).values(columns))


def _contact(chance: random.Random) -> NewContact:
    numbers = tuple(
        NewNumber(
            e164=f"+49{chance.randint(30_000, 30_060)}{'' if at else chance.randint(0, 9)}",
            raw="",
            zone=chance.choice((None, *ZONES)),
        )
        for at in range(chance.randint(1, 3))
    )
    fields: dict[str, Any] = {header: chance.choice(CITIES) for header in HEADERS if chance.random() < 0.5}
    if chance.random() < 0.2:
        fields["city"] = ["Ulm"]
    return NewContact(
        name=chance.choice(NAMES),
        numbers=numbers,
        crm_ref=chance.choice((None, "c-1", "C-1")),
        fields=fields,
    )


async def _marks(store: Any, chance: random.Random, contact_id: int, agents: dict[str, int]) -> None:
    def perhaps(*values: Any) -> Any:
        return chance.choice((None, *values))

    days = [NOW + timedelta(hours=hours) for hours in (-900, -200, -30, -9, -1, 0, 1, 14, 40)]
    await mark_contact(
        store,
        contact_id,
        owner_agent_id=perhaps(*agents.values()),
        stage=perhaps(*STAGES),
        zone=perhaps(*ZONES),
        consent=perhaps("given", "withdrawn"),
        score=perhaps(0.0, 0.1, 50.5, 1e9, -3.0),
        crm_customer=perhaps("k1", "k2"),
        crm_contact=perhaps("k1"),
        crm_deal=perhaps("d1"),
        changed_at=perhaps(*days),
        import_id=perhaps(1, 2),
        stopped_at=perhaps(*days),
        next_follow_up_at=perhaps(*days),
        owner_since=perhaps(*days),
        returned_at=perhaps(*days),
        last_talk_at=perhaps(*days),
        failures=chance.randint(0, 3),
    )
    tags = tuple(tag for tag in TAGS if chance.random() < 0.3)
    await store.finding.change(contact_id, lambda _: Change(tags_added=tags), kind="tag", by="x", at=NOW)
    await mark_contact(store, contact_id, changed_at=perhaps(*days))


def _entry(chance: random.Random) -> dict[str, Any]:
    state = chance.choice([EntryState.PENDING, EntryState.WAITING, EntryState.DONE])
    return {
        "state": state,
        "reason": chance.choice((None, *REASONS)) if state is not EntryState.PENDING else None,
        "priority": chance.randint(-2, 2),
        "due_at": later(chance.randint(-9000, 9000)) if state is EntryState.WAITING else None,
        "tries": chance.randint(0, 3),
    }


async def _second_places(
    store: Any, chance: random.Random, contacts: list[int], lists: list[int], campaigns: dict[str, int]
) -> None:
    for contact_id in contacts[::4]:
        place = {
            "list_id": lists[2],
            "campaign_id": campaigns["autumn"],
            **_entry(chance),
        }
        added = Change(entry_added=place)
        await store.finding.change(contact_id, lambda _, added=added: added, kind="list", by="x", at=NOW)


async def _calls(
    store: Any,
    chance: random.Random,
    contacts: list[int],
    lists: list[int],
    agents: dict[str, int],
    campaigns: dict[str, int],
) -> None:
    for n in range(80):
        placed = later(chance.randint(-400_000, 0) + chance.random())
        call = a_call(
            id=f"{n + 1:032x}",
            number=f"+49{chance.randint(30_000, 30_060)}",
            placed_at=placed,
            campaign_id=chance.choice((None, *campaigns.values())),
            list_id=chance.choice((None, *lists)),
            contact_id=chance.choice((None, *contacts[: len(contacts) // 2])),
            agent_id=chance.choice((None, *agents.values())),
            owner_agent_id=chance.choice((None, *agents.values())),
            crm_ref=chance.choice((None, "c-1")),
            try_number=chance.randint(1, 3),
            mode=chance.choice((None, "predictive")),
            answer_chance=chance.choice((None, 0.25, 0.5)),
            why=chance.choice((None, "2nd in line")),
        )
        await store.calls.place([(call, None)])
        if n % 5:
            await store.calls.save([_ended(chance, call, agents)])
        if n % 3 == 0:
            await store.calls.set_disposition(
                call.id,
                agent_id=None,
                disposition=chance.choice(DISPOSITIONS),
                note=chance.choice(("", "50% off", "王")),
                at=later(n),
            )
        if n % 4 == 0:
            facts = RecordingFacts(path=chance.choice((None, "a.wav")), seconds=float(n), problem="silent")
            await store.recordings.save_recording(call.id, facts, at=NOW)


def _ended(chance: random.Random, call: Call, agents: dict[str, int]) -> Call:
    answered = call.placed_at + timedelta(seconds=chance.randint(1, 20) + chance.random())
    ended = answered + timedelta(seconds=chance.choice((5, 30, 61.25)))
    outcome = chance.choice(list(Outcome))
    call = replace(
        call,
        state=CallState.ENDED,
        ended_at=ended,
        outcome=outcome,
        end_reason=EndReason.HUNG_UP,
        ended_by=chance.choice([None, *EndedBy]),
        cause=chance.choice((None, 16, 17)),
        cause_text=chance.choice((None, "User busy")),
        sip_code=chance.choice((None, 486)),
    )
    if outcome is not Outcome.CONNECTED:
        return call
    connected = answered + timedelta(seconds=chance.choice((0.5, 1.25)))
    agent_id = chance.choice(list(agents.values()))
    stay = Join(agent_id=agent_id, channel_id="waihu-a-1-0a", joined_at=connected, left_at=ended)
    return replace(call, answered_at=answered, connected_at=connected, joins=(stay,))
