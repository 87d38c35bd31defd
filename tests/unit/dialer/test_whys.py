"""Each contact that is not dialed has an answer."""

from typing import Any

import pytest

from cti.dialer.pending_answer import MOST_BEFORE, Sight, ordinal, pending_answer
from cti.dialer.thinner import Thinner
from cti.dialer.whys import Whys
from cti.errors import NotFound
from cti.model.agents import AgentState
from cti.model.campaign_rules import CampaignRules, OwnershipRules, Spill
from cti.model.contacts import CampaignState, EntryState
from cti.model.decisions import PacingDecision
from cti.model.standing import NOBODY, Parked
from cti.model.verdicts import SkipReason, Verdict
from tests.builders import NOW, a_campaign, an_agent, later, some_contacts
from tests.fakes.clock import FakeClock
from tests.fakes.gate import FakeGate
from tests.fakes.memory_store import MemoryStore

CLOSED = Verdict(
    allowed=False,
    reason=SkipReason.OUTSIDE_HOURS,
    detail="outside hours until 08:00 America/New_York",
    until=later(3600),
)


def sight(*, present: set[int] | None = None, free: set[int] | None = None, **campaign: Any) -> Sight:
    return Sight(
        campaign=a_campaign(**campaign),
        present=frozenset({1, 2} if present is None else present),
        free=frozenset({1} if free is None else free),
    )


def spilling(spill: Spill) -> CampaignRules:
    return CampaignRules(ownership=OwnershipRules(spill=spill))


@pytest.mark.parametrize(
    ("seen", "asked", "reason", "words"),
    [
        pytest.param(sight(), {"before": 2}, "in_line", "3rd in line", id="others are before him"),
        pytest.param(sight(), {"before": 0}, "in_line", "next in line", id="he is next"),
        pytest.param(
            sight(), {"before": MOST_BEFORE}, "in_line", "in line, more than 1000 before him", id="far behind"
        ),
        pytest.param(
            sight(state=CampaignState.PAUSED),
            {"verdict": CLOSED},
            "campaign_not_running",
            "campaign autumn is paused",
            id="the campaign is paused",
        ),
        pytest.param(
            sight(present=set()),
            {"verdict": CLOSED},
            "outside_hours",
            "outside hours until 08:00 America/New_York",
            id="a rule",
        ),
        pytest.param(
            sight(present=set(), free=set()),
            {},
            "no_agent",
            "no agent of the campaign is logged in",
            id="nobody works",
        ),
        pytest.param(
            sight(free=set()),
            {"before": 10},
            "no_agent",
            "no agent is free at this moment; 11th in line",
            id="all are busy",
        ),
        pytest.param(
            sight(),
            {"owner_id": 2},
            "owner_busy",
            "his owner (agent 2) is not free at this moment",
            id="busy owner",
        ),
        pytest.param(
            sight(), {"owner_id": 9}, "owner_away", "his owner (agent 9) is not logged in", id="owner away"
        ),
        pytest.param(
            sight(rules=spilling(Spill.WHEN_OWNER_AWAY)),
            {"owner_id": 9, "before": 0},
            "in_line",
            "next in line",
            id="anybody's while his owner is away",
        ),
        pytest.param(
            sight(rules=spilling(Spill.WHEN_OWNER_AWAY)),
            {"owner_id": 2},
            "owner_busy",
            "his owner (agent 2) is not free at this moment",
            id="his owner is there",
        ),
        pytest.param(
            sight(rules=spilling(Spill.ALWAYS)), {"owner_id": 2}, "in_line", "in line", id="anybody's always"
        ),
    ],
)
def test_the_first_of_what_stands_in_the_way_is_told(
    seen: Sight, asked: dict[str, Any], reason: str, words: str
) -> None:
    answer = pending_answer(seen, **{"owner_id": NOBODY} | asked)

    assert (answer.reason, answer.words) == (reason, words)
    assert answer.until == (CLOSED.until if reason == "outside_hours" else None)


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (21, "21st"),
        (113, "113th"),
    ],
)
def test_places_are_told_as_people_say_them(number: int, word: str) -> None:
    assert ordinal(number) == word


class Asked:
    """A campaign with contacts, and whoever answers why."""

    def __init__(self, store: MemoryStore, contacts: int) -> None:
        self.store = store
        self.gate = FakeGate()
        self.campaign = a_campaign()
        self.agent = an_agent()
        self.whys = Whys(
            store=store.reasons,
            gate=self.gate,
            agents=lambda: [self.agent],
            campaigns=lambda: [self.campaign],
            clock=FakeClock(),
        )
        self.numbers = [one.numbers[0].e164 for one in some_contacts(contacts)]

    @classmethod
    async def of(cls, contacts: int) -> "Asked":
        store = MemoryStore()
        campaign = await store.campaigns.add_campaign(a_campaign())
        await store.campaigns.add_list(
            campaign_id=campaign.id, name="l", source="", contacts=some_contacts(contacts), at=NOW
        )
        return cls(store, contacts)


async def test_a_pending_contact_is_asked_about_at_the_gate_now() -> None:
    asked = await Asked.of(3)
    asked.gate.verdicts[asked.numbers[1]] = CLOSED

    second = await asked.whys.of_number(asked.numbers[1])
    third = await asked.whys.of_number(asked.numbers[2])

    assert [(one.answer.reason, one.answer.until) for one in second.entries] == [
        ("outside_hours", later(3600))
    ]
    assert [one.answer.words for one in third.entries] == ["3rd in line"]


async def test_a_parked_contact_is_told_as_stored_with_his_history() -> None:
    asked = await Asked.of(1)
    (one,) = await asked.store.campaigns.next_candidates(1, limit=1)
    parked = Parked(candidate=one, reason=SkipReason.FREQUENCY, detail="3 of 3 in 60 s", until=later(60))
    await asked.store.queue.park([parked], at=NOW)

    found = await asked.whys.of_contact(one.contact_id)

    (entry,) = found.entries
    assert (entry.answer.reason, entry.answer.words, entry.answer.until) == (
        "frequency",
        "3 of 3 in 60 s",
        later(60),
    )
    assert [told.reason for told in found.history] == ["frequency"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (EntryState.DIALING, "is being called now (call None)"),
        (EntryState.DONE, "done with after its last call"),
    ],
)
async def test_one_who_is_called_or_done_has_an_answer_too(state: EntryState, words: str) -> None:
    asked = await Asked.of(1)
    next(iter(asked.store.tables.entries.values())).state = state

    (entry,) = (await asked.whys.of_number(asked.numbers[0])).entries

    assert entry.answer.words == words


async def test_nobody_s_number_is_not_found() -> None:
    asked = await Asked.of(1)

    with pytest.raises(NotFound, match=r"\+49111"):
        await asked.whys.of_number("+49111")
    with pytest.raises(NotFound, match="contact 77"):
        await asked.whys.of_contact(77)


async def test_a_campaign_s_entries_are_all_counted_by_reason() -> None:
    asked = await Asked.of(7)
    entries = list(asked.store.tables.entries.values())
    people = await asked.store.campaigns.next_candidates(1, limit=7)
    entries[3].zone = entries[4].zone = "America/New_York"
    entries[5].owner_key = 9
    asked.gate.closed_zones = {"America/New_York"}
    asked.gate.verdicts[asked.numbers[3]] = CLOSED
    await asked.store.queue.park(
        [
            Parked(candidate=people[0], reason=SkipReason.DO_NOT_CALL),
            Parked(candidate=people[1], reason=SkipReason.RETRY_LATER, until=later(600)),
        ],
        at=NOW,
    )

    found = await asked.whys.of_campaign(asked.campaign)

    assert {(group.state.value, group.answer.reason, group.entries) for group in found.groups} == {
        ("pending", "in_line", 2),
        ("pending", "outside_hours", 2),
        ("pending", "owner_away", 1),
        ("done", "do_not_call", 1),
        ("waiting", "retry_later", 1),
    }
    assert sum(group.entries for group in found.groups) == len(entries)
    assert all(group.samples and group.answer.words for group in found.groups)
    assert found.next_at == later(600)
    assert found.pacing is None


async def test_the_last_decision_of_pacing_is_told_with_a_campaign() -> None:
    asked = await Asked.of(1)
    decision = PacingDecision(campaign_id=1, at=NOW, calls=2, why="two agents are free")
    whys = Whys(
        store=asked.store.reasons,
        gate=asked.gate,
        agents=lambda: [asked.agent],
        campaigns=lambda: [asked.campaign],
        clock=FakeClock(),
        pacing={1: decision}.get,
    )

    assert (await whys.of_campaign(asked.campaign)).pacing == decision


async def test_a_campaign_nobody_works_on_says_so() -> None:
    asked = await Asked.of(2)
    asked.agent = an_agent(state=AgentState.LOGGED_OUT)

    (group,) = (await asked.whys.of_campaign(asked.campaign)).groups

    assert (group.answer.reason, group.entries) == ("no_agent", 2)


async def test_reasons_are_kept_for_days_and_forgotten_then() -> None:
    asked, clock = await Asked.of(1), FakeClock()
    (one,) = await asked.store.campaigns.next_candidates(1, limit=1)
    await asked.store.queue.park([Parked(candidate=one, reason=SkipReason.STOPPED)], at=NOW)
    thinner = Thinner(store=asked.store.reasons, clock=clock, kept_days=2)

    clock.advance(2 * 86400)
    await thinner.step()
    assert len(asked.store.tables.reasons) == 1
    clock.advance(1)
    await thinner.step()

    assert asked.store.tables.reasons == []
