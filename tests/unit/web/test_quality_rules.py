"""Keyword rules and what they leave on calls, at the API."""

import csv
import io

import pytest

from cti.wiring.quality import QualityParts
from tests.fakes.clock import FakeClock
from tests.fakes.quality_parts import quality_parts
from tests.fakes.site import TOKENS, Site
from tests.unit.web.judging import CARD, RULE, a_judged_call, span, with_rules


@pytest.fixture
async def parts(site: Site) -> QualityParts:
    """Give judging over the site's store; the site's own rules and cards are the same objects' stores."""
    return quality_parts(site.store, site.bus, FakeClock(), site.agents.agents)


async def test_a_rule_is_written_changed_and_explained(site: Site) -> None:
    made = await site.told("PUT", "quality/rules/promise", json={"rule": RULE | {"campaigns": ["autumn"]}})
    assert (made["version"], made["campaigns"], made["by"]) == (1, [1], "lead")
    same = await site.told("PUT", "quality/rules/promise", json={"rule": RULE | {"campaigns": [1]}})
    assert same["version"] == 1
    await site.told("PUT", "quality/rules/promise", json={"rule": RULE | {"phrases": ["sure thing"]}})
    await site.told("POST", "quality/rules/promise/retire", json={})
    told = await site.told("GET", "quality/rules/promise", as_="anna")
    assert [(one["version"], one["phrases"], one["active"]) for one in told["versions"]] == [
        (3, ["sure thing"], False),
        (2, ["sure thing"], True),
        (1, ["guaranteed"], True),
    ]
    listed = await site.told("GET", "quality/rules")
    assert (listed["revision"], [one["code"] for one in listed["rules"]]) == (3, ["promise"])


async def test_rules_come_together_or_not_at_all(site: Site) -> None:
    good, bad = RULE | {"code": "a"}, RULE | {"code": "b", "phrases": []}
    error = await site.refused("PUT", "quality/rules", json={"rules": [good, bad]}, status=422)
    assert error["message"] == "rules.1.phrases: must hold one at least"
    error = await site.refused("PUT", "quality/rules", json={"rules": [good, good]}, status=422)
    assert "'a' stands twice" in error["message"]
    for campaigns in ([None], [1.5], "autumn"):
        error = await site.refused(
            "PUT", "quality/rules", json={"rules": [good | {"campaigns": campaigns}]}, status=422
        )
        assert error["message"].startswith("rules.0.campaigns")
    error = await site.refused(
        "PUT", "quality/rules", json={"rules": [good | {"campaigns": ["spring"]}]}, status=422
    )
    assert error["message"] == "rules.0.campaigns: there is no campaign 'spring'"
    assert (await site.told("GET", "quality/rules"))["rules"] == []
    made = await site.told("PUT", "quality/rules", json={"rules": [good, good | {"code": "b"}]})
    assert [one["revision"] for one in made["changed"]] == [1, 2]
    await site.refused("PUT", "quality/rules/c", json={"rule": good}, status=422)
    await site.refused("GET", "quality/rules/c", status=404)


async def test_a_rule_is_tried_out_without_a_trace(site: Site) -> None:
    call_id = await a_judged_call(site, ("agent", 1, "it is guaranteed"))
    told = await site.told(
        "POST", "quality/rules/try", as_="qa", json={"rule": RULE, "calls": [call_id, "0" * 32]}
    )
    [found, nothing] = told["calls"]
    assert (found["verdict"]["broken"], found["verdict"]["hits"][0]["start"]) == (True, 1.8)
    assert nothing == {"call_id": "0" * 32, "verdict": None}
    assert (await site.told("GET", "quality/rules"))["rules"] == []


async def test_a_flagged_call_is_told_listed_and_waits_for_review(site: Site) -> None:
    await with_rules(site)
    with site.bus.subscribe() as events:
        call_id = await a_judged_call(site, ("agent", 1, "good morning this is guaranteed"))
        flagged = await events.get()
    assert (flagged.rule, flagged.call_id) == ("promise", call_id)  # type: ignore[union-attr]

    told = await site.told("GET", f"quality/calls/{call_id}", as_="anna")
    assert told["figures"]["agent_turns"] == 1
    assert [(one["rule"], one["broken"]) for one in told["verdicts"]] == [("hello", False), ("promise", True)]
    listed = await site.told("GET", "quality/flags?rule=promise&campaign=autumn&agent=anna")
    assert [one["call_id"] for one in listed["flags"]] == [call_id]
    assert (await site.told("GET", "quality/flags?rule=hello"))["flags"] == []
    [place] = (await site.told("GET", "quality/queue", as_="qa"))["queue"]
    assert (place["call_id"], place["reason"], place["source"]) == (call_id, "promise", "rule")


async def test_flags_go_out_as_csv_that_no_spreadsheet_runs(site: Site) -> None:
    await site.told("PUT", "quality/rules/sum", json={"rule": RULE | {"phrases": ["cmd one"]}})
    await a_judged_call(site, ("agent", 1, "=cmd one"))
    answer = await site.ask("GET", "quality/flags?format=csv")
    [row] = csv.DictReader(io.StringIO(await answer.text()))
    assert (row["rule"], row["words"], row["second"]) == ("sum", "'=cmd one", "1.0")


async def test_an_agent_sees_his_own_calls_alone(site: Site) -> None:
    await with_rules(site)
    own = await a_judged_call(site, ("agent", 1, "guaranteed"))
    other = await a_judged_call(site, ("agent", 1, "guaranteed"), agent="bob")
    listed = await site.told("GET", "quality/flags", as_="anna")
    assert [one["call_id"] for one in listed["flags"]] == [own]
    await site.refused("GET", f"quality/calls/{other}", as_="anna", status=404)
    await site.refused("GET", "quality/flags?agent=bob", as_="anna", status=403)
    table = await site.told("GET", "quality/results/agents", as_="anna", params=span())
    assert [(row["agent"], row["flagged"]) for row in table["rows"]] == [("anna", 1)]
    await site.refused("GET", "quality/results/reviewers", as_="anna", status=403)


async def test_a_card_that_asks_for_an_unknown_rule_is_refused(site: Site) -> None:
    error = await site.refused("PUT", "quality/cards/sales", json={"card": CARD}, status=422)
    assert "asks for a keyword rule 'hello' that is not there" in error["message"]
    await site.refused("GET", "quality/cards/sales", status=404)


async def test_a_rescan_is_begun_and_looked_at(site: Site, parts: QualityParts) -> None:
    call_id = await a_judged_call(site, ("agent", 1, "guaranteed"))
    await with_rules(site)
    begun = await site.told("POST", "quality/rescans", status=202, json={"campaign": "autumn"})
    assert (begun["matched"], begun["state"]) == (1, "running")
    await site.refused("POST", "quality/rescans", status=409, json={})
    await parts.load()
    [row] = [one for one in site.store.tables.works.values() if one.wish.kind == "quality.rescan"]
    with site.bus.subscribe() as events:
        await parts.handlers["quality.rescan"](row.wish)  # type: ignore[arg-type]
        assert events._queue.empty()  # old calls are not told of one by one
    told = await site.told("GET", f"quality/rescans/{begun['id']}", as_="qa")
    assert (told["state"], told["judged"], told["changed"]) == ("done", 1, 1)
    listed = await site.told("GET", "quality/flags")
    assert listed["flags"][0]["call_id"] == call_id


async def test_an_alert_reaches_leads_and_the_agent_whose_call_it_is_live(site: Site) -> None:
    await site.told("PUT", "quality/rules/promise", json={"rule": RULE})
    sockets = {}
    for who in ("qa", "anna"):
        headers = {"Authorization": f"Bearer {TOKENS[who]}"}
        path = site.url("events?types=quality.*")
        sockets[who] = await site.client.ws_connect(path, headers=headers)
        assert (await sockets[who].receive_json())["type"] == "hello"
    bobs = await a_judged_call(site, ("agent", 1, "guaranteed"), agent="bob")
    annas = await a_judged_call(site, ("agent", 1, "guaranteed"))

    first, second = [await sockets["qa"].receive_json() for _ in range(2)]
    assert (first["type"], first["call_id"], second["call_id"]) == ("quality.flagged", bobs, annas)
    assert first["verdict"]["hits"][0]["words"] == "guaranteed"
    assert (await sockets["anna"].receive_json())["call_id"] == annas
    for socket in sockets.values():
        await socket.close()
