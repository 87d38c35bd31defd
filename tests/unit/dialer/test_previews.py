"""Preview dialing: an agent sees the contact first."""

import pytest

from cti.errors import Conflict, StorageError
from cti.model.agents import AgentState
from cti.model.campaign_rules import CampaignRules, PreviewRules
from cti.model.contacts import EntryState, Mode
from cti.model.events import PreviewEnded, PreviewOffered
from cti.model.verdicts import SkipReason, Verdict
from tests.builders import later
from tests.unit.dialer.floor import Floor


async def previewing(floor: Floor, contacts: int = 3, agents: int = 1, **rules: object) -> None:
    """Start a preview campaign and let it offer."""
    preview = PreviewRules(**rules)  # type: ignore[arg-type]
    campaign = await floor.campaign(contacts, mode=Mode.PREVIEW, rules=CampaignRules(preview=preview))
    await floor.agents(agents, campaign)
    await floor.previews.step()


def shown(floor: Floor, login: str = "agent1") -> str:
    offer = floor.previews.offer_of(login)
    assert offer is not None
    return offer.candidate.number


async def test_a_ready_agent_is_shown_a_contact_and_nobody_is_dialed(floor: Floor) -> None:
    await previewing(floor)
    await floor.engine.step()
    assert floor.desk.named("agent1").state is AgentState.PREVIEW
    assert [type(e) for e in floor.told if isinstance(e, PreviewOffered)] == [PreviewOffered]
    assert not floor.lines.placed


async def test_two_agents_are_never_shown_the_same_contact(floor: Floor) -> None:
    await previewing(floor, agents=2)
    assert shown(floor, "agent1") != shown(floor, "agent2")


async def test_he_dials_whom_he_looks_at_and_is_kept_for_him(floor: Floor) -> None:
    await previewing(floor)
    number = shown(floor)
    call = await floor.previews.dial("agent1")
    assert [placed.number for placed in floor.lines.placed] == [number]
    agent = floor.desk.named("agent1")
    assert (agent.state, agent.call_id, call.agent_id) == (AgentState.RESERVED, call.id, agent.id)
    assert call.why is not None
    assert call.why.startswith("preview: agent1")
    assert floor.previews.offer_of("agent1") is None


async def test_a_skip_puts_the_contact_off_with_the_reason_and_shows_the_next(floor: Floor) -> None:
    await previewing(floor, skip_seconds=600.0)
    first = shown(floor)
    await floor.previews.skip("agent1", "wrong city")
    await floor.previews.step()
    assert shown(floor) != first
    [entry] = [one for one in floor.store.tables.entries.values() if one.state is EntryState.WAITING]
    assert (entry.due_at, entry.reason) == (later(600), SkipReason.PREVIEW_SKIPPED)


async def test_a_campaign_may_forbid_skips(floor: Floor) -> None:
    await previewing(floor, may_skip=False)
    with pytest.raises(Conflict, match="no skips"):
        await floor.previews.skip("agent1", "no wish")
    assert floor.previews.offer_of("agent1") is not None


@pytest.mark.parametrize(
    ("at_end", "placed"), [pytest.param("dial", 1, id="dials"), pytest.param("skip", 0, id="skips")]
)
async def test_the_end_of_the_time_decides(floor: Floor, at_end: str, placed: int) -> None:
    await previewing(floor, contacts=1, seconds=10.0, at_end=at_end)
    floor.clock.advance(9)
    await floor.previews.step()
    assert not floor.lines.placed
    floor.clock.advance(1)
    await floor.previews.step()
    assert len(floor.lines.placed) == placed
    assert floor.previews.offer_of("agent1") is None


async def test_a_contact_that_a_rule_forbids_meanwhile_is_not_dialed(floor: Floor) -> None:
    await previewing(floor)
    number = shown(floor)
    floor.gate.verdicts[number] = Verdict(allowed=False, reason=SkipReason.DO_NOT_CALL, detail="on the list")
    with pytest.raises(Conflict, match="on the list"):
        await floor.previews.dial("agent1")
    await floor.previews.step()
    assert shown(floor) != number
    assert not floor.lines.placed


async def test_a_pause_takes_the_offer_back_and_the_contact_stays_in_the_list(floor: Floor) -> None:
    await previewing(floor, contacts=1)
    await floor.desk.pause("agent1", "lunch")
    assert floor.previews.offer_of("agent1") is None
    assert [one.reason for one in floor.told if isinstance(one, PreviewEnded)] == ["gone"]
    assert [entry.state for entry in floor.store.tables.entries.values()] == [EntryState.PENDING]


async def test_a_campaign_that_stops_takes_its_offers_back(floor: Floor) -> None:
    await previewing(floor)
    await floor.campaigns.pause(floor.campaigns.all()[0].id)
    assert floor.desk.named("agent1").state is AgentState.READY
    assert floor.previews.offer_of("agent1") is None


async def test_who_looks_at_nobody_can_neither_dial_nor_skip(floor: Floor) -> None:
    await previewing(floor, contacts=1)
    await floor.previews.skip("agent1", "no")
    for asked in (floor.previews.dial("agent1"), floor.previews.skip("agent1", "no")):
        with pytest.raises(Conflict, match="looks at no contact"):
            await asked


async def test_a_restart_lets_the_agent_go_and_shows_him_somebody_anew(floor: Floor) -> None:
    await previewing(floor)
    floor.store.tables.agents[floor.desk.named("agent1").id] = floor.desk.named("agent1")
    restarted = Floor(store=floor.store)
    await restarted.desk.load([])
    assert restarted.desk.named("agent1").state is AgentState.READY


async def test_nobody_is_offered_while_the_database_is_away_and_it_is_said_once(
    floor: Floor, caplog: pytest.LogCaptureFixture
) -> None:
    await previewing(floor, agents=0)

    async def away(*_: object, **__: object) -> None:
        raise StorageError("away", temporary=True)

    choose, floor.selector.choose = floor.selector.choose, away  # type: ignore[method-assign, assignment]
    await floor.agents(1, floor.campaigns.all()[0])
    await floor.previews.step()
    await floor.previews.step()
    assert caplog.text.count("while the database is away") == 1
    floor.selector.choose = choose  # type: ignore[method-assign]
    await floor.previews.step()
    assert floor.previews.offer_of("agent1") is not None
