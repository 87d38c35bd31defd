"""How a campaign dials, over the API: rules, ledger, decisions; and what agents dial themselves."""

from datetime import timedelta

import pytest

from cti.errors import Conflict
from cti.model.calls import CallState, Outcome
from cti.model.offers import Offer
from cti.pacing.floor import Decision, Floor
from tests.builders import NOW, a_call, a_candidate, later
from tests.fakes.site import Site


async def test_rules_are_changed_key_by_key_and_the_others_stay(site: Site) -> None:
    await site.told("PATCH", "campaigns/autumn", json={"rules": {"pacing": {"drop_target": 0.01}}})
    change = {
        "mode": "predictive",
        "rules": {"pacing": {"drop_window": "rolling_24h"}, "preview": {"seconds": 20}},
    }
    told = await site.told("PATCH", "campaigns/autumn", json=change)
    assert told["mode"] == "predictive"
    assert (told["rules"]["pacing"]["drop_target"], told["rules"]["pacing"]["drop_window"]) == (
        0.01,
        "rolling_24h",
    )
    assert told["rules"]["preview"]["seconds"] == 20
    assert (await site.told("GET", "campaigns/autumn"))["rules"] == told["rules"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(
            {"rules": {"pacing": {"drop_tarjet": 0.01}}}, "rules.pacing.drop_tarjet", id="no such rule"
        ),
        pytest.param(
            {"rules": {"pacing": {"drop_window": "year"}}}, "rules.pacing.drop_window", id="no such window"
        ),
        pytest.param({"rules": {"packing": {}}}, "rules.packing", id="no such subject"),
        pytest.param({"rules": {"retry": 5}}, "rules.retry", id="no table"),
        pytest.param({"mode": "psychic"}, "mode", id="no such mode"),
        pytest.param({"node": "far"}, "node", id="the node stays"),
    ],
)
async def test_wrong_rules_are_refused_by_their_key_and_nothing_changes(
    site: Site, body: dict[str, object], words: str
) -> None:
    before = await site.told("GET", "campaigns/autumn")
    error = await site.refused("PATCH", "campaigns/autumn", status=422, json=body)
    assert words in error["message"]
    assert await site.told("GET", "campaigns/autumn") == before


async def test_a_campaign_is_made_in_a_mode_with_its_rules(site: Site) -> None:
    body = {"name": "winter", "mode": "preview", "rules": {"preview": {"may_skip": False}}}
    told = await site.told("POST", "campaigns", status=201, json=body)
    assert (told["mode"], told["rules"]["preview"]["may_skip"]) == ("preview", False)


async def store_a_drop(site: Site) -> str:
    call = a_call(campaign_id=1, answered_at=NOW, dropped_at=later(2))
    await site.store.calls.place([(call, None)])
    over = a_call(
        id=call.id,
        campaign_id=1,
        state=CallState.ENDED,
        outcome=Outcome.DROPPED,
        answered_at=NOW - timedelta(seconds=5),
        dropped_at=NOW - timedelta(seconds=3),
        ended_at=NOW - timedelta(seconds=1),
    )
    await site.store.calls.save([over])
    return call.id


async def test_the_ledger_tells_rate_and_target(site: Site) -> None:
    await store_a_drop(site)
    told = await site.told("GET", "campaigns/autumn/ledger")
    assert (told["target"], told["window"], told["rate"]) == (0.03, "rolling_30d", 1.0)
    assert (told["dropped"], told["answered_by_person"]) == (1, 1)


async def test_the_evidence_has_each_dropped_call_with_its_times(site: Site) -> None:
    call_id = await store_a_drop(site)
    [row] = (await site.told("GET", "campaigns/autumn/ledger/evidence"))["calls"]
    assert (row["id"], row["dropped_at"]) == (call_id, "2026-11-23T08:59:57.000000Z")
    answer = await site.ask("GET", "campaigns/autumn/ledger/evidence?format=csv")
    lines = (await answer.text()).splitlines()
    assert lines[0].startswith("id,number,campaign,placed_at")
    assert lines[1].startswith(call_id)


async def test_decisions_are_told_with_what_was_seen(site: Site) -> None:
    decision = Decision(calls=2, why="risk 0.004 of 0.012", inputs={"risk": 0.004})
    site.decisions.note(1, Floor(now=0.0, idle_agents=3), decision)
    told = await site.told("GET", "campaigns/autumn/decisions")
    assert told["now"]["why"] == "risk 0.004 of 0.012"
    [row] = told["decisions"]
    assert (row["calls"], row["inputs"]["idle"], row["inputs"]["risk"]) == (2, 3, 0.004)


async def test_an_agent_calls_a_contact_for_himself(site: Site) -> None:
    body = {"campaign": "autumn", "contact_id": 7}
    told = await site.told("POST", "agents/anna/call", status=201, as_="anna", json=body)
    assert (told["contact_id"], told["why"]) == (7, "by hand: anna asked for it")
    site.by_hand.fails = Conflict("+49 may not be called now: outside hours until 08:00")
    error = await site.refused("POST", "agents/anna/call", status=409, as_="anna", json=body)
    assert "outside hours" in error["message"]


async def test_an_agent_sees_dials_and_skips_whom_he_looks_at(site: Site) -> None:
    assert await site.told("GET", "agents/anna/preview", as_="anna") == {"contact": None}
    offer = Offer(campaign_id=1, candidate=a_candidate(contact_id=9), at=NOW, until=later(20))
    site.previews.offers["anna"] = offer
    told = await site.told("GET", "agents/anna/preview", as_="anna")
    assert (told["contact"]["contact_id"], told["until"]) == (9, "2026-11-23T09:00:20.000000Z")
    await site.told("POST", "agents/anna/preview/skip", as_="anna", json={"reason": "wrong city"})
    assert site.previews.skipped == [("anna", "wrong city")]
    await site.refused("POST", "agents/anna/preview/dial", status=409, as_="anna")
    site.previews.offers["anna"] = offer
    dialed = await site.told("POST", "agents/anna/preview/dial", status=201, as_="anna")
    assert dialed["contact_id"] == 9
