"""Rules, cards, reviews, the queue and results at the API."""

import csv
import io
from typing import Any

import pytest

from cti.web.deps import DEPS
from cti.wiring.quality import QualityParts
from tests.builders import NOW, a_call, later
from tests.fakes.clock import FakeClock
from tests.fakes.quality_parts import quality_parts
from tests.fakes.site import TOKENS, Site
from tests.said import Line, a_transcript

RULE = {"kind": "must_not_say", "phrases": ["guaranteed"], "severity": "alert", "title": "Promises"}
CARD = {
    "pass_mark": 60,
    "sections": [
        {
            "title": "Opening",
            "questions": [
                {"code": "greeting", "text": "Greeted?", "weight": 1, "auto": {"rule": "hello"}},
                {"code": "care", "text": "Cared?", "kind": "scale", "top": 4, "weight": 3},
            ],
        },
        {
            "title": "Law",
            "questions": [{"code": "law", "text": "Lawful?", "fatal": True, "may_be_na": True}],
        },
    ],
}


@pytest.fixture
async def parts(site: Site) -> QualityParts:
    """Give judging over the site's store; the site's own rules and cards are the same objects' stores."""
    return quality_parts(site.store, site.bus, FakeClock(), site.agents.agents)


async def a_judged_call(site: Site, *lines: Line, agent: str = "anna", seconds: float = 0.0) -> str:
    """Store a call with a transcript and judge it by the rules of the site."""
    call = a_call(campaign_id=1, agent_id=getattr(site, agent), placed_at=later(seconds))
    await site.store.calls.place([(call, None)])
    await site.store.transcripts.save(a_transcript(*lines, call_id=call.id))
    app = site.client.app
    assert app is not None
    await app[DEPS].quality.rescans._judge.judge(call.id, alert=True)
    return call.id


async def with_rules(site: Site) -> None:
    hello = {"kind": "must_say", "phrases": ["good morning"], "speaker": "agent", "first_seconds": 10}
    await site.told("PUT", "quality/rules/promise", json={"rule": RULE})
    await site.told("PUT", "quality/rules/hello", json={"rule": hello})


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


def span() -> dict[str, str]:
    return {"since": NOW.isoformat(), "until": later(3600).isoformat()}


async def scored(site: Site, call_id: str, answers: dict[str, str], *, as_: str = "qa") -> dict[str, Any]:
    """Score a call to the end."""
    draft = await site.told(
        "POST", "quality/reviews", as_=as_, status=201, json={"call": call_id, "card": "sales"}
    )
    given = {code: {"value": value} for code, value in answers.items()}
    draft = await site.told(
        "PATCH",
        f"quality/reviews/{draft['id']}",
        as_=as_,
        json={"answers": given, "edition": draft["edition"]},
    )
    done: dict[str, Any] = await site.told(
        "POST", f"quality/reviews/{draft['id']}/submit", as_=as_, json={"edition": draft["edition"]}
    )
    return done


async def test_a_call_is_claimed_scored_appealed_and_resolved(site: Site) -> None:
    await with_rules(site)
    await site.told("PUT", "quality/cards/sales", json={"card": CARD})
    call_id = await a_judged_call(site, ("agent", 1, "good morning it is guaranteed"))
    claimed = await site.told("POST", "quality/queue/claim", as_="qa", json={})
    assert claimed["place"]["call_id"] == call_id
    assert (await site.told("POST", "quality/queue/claim", json={}))["place"] is None

    draft = await site.told(
        "POST", "quality/reviews", as_="qa", status=201, json={"call": call_id, "card": "sales"}
    )
    assert draft["answers"]["greeting"]["answered_by"] == "service"
    assert draft["answers"]["greeting"]["evidence"]["rule"] == "hello"
    path = f"quality/reviews/{draft['id']}"
    error = await site.refused("POST", f"{path}/submit", as_="qa", json={"edition": 1}, status=422)
    assert error["message"] == "answers: without an answer: care, law"
    await site.refused("GET", path, as_="anna", status=404)  # a draft is nobody's but the reviewer's

    done = await scored(site, call_id, {"greeting": "no", "care": "2", "law": "na"})
    assert (done["points"], done["passed"], done["state"]) == (37.5, False, "submitted")
    assert done["answers"]["greeting"]["evidence"]["rule"] == "hello"  # overridden, and still explained
    assert (await site.told("GET", "quality/queue?state=done"))["queue"][0]["call_id"] == call_id
    error = await site.refused(
        "PATCH", path, as_="qa", json={"answers": {}, "edition": done["edition"]}, status=409
    )
    assert "the review is submitted" in error["message"]

    seen = await site.told("GET", "quality/reviews", as_="anna")
    assert [one["id"] for one in seen["reviews"]] == [draft["id"]]
    await site.told("POST", f"{path}/comments", as_="anna", status=201, json={"text": "here", "seconds": 1.5})
    await site.refused("POST", f"{path}/appeal", json={"text": "x"}, status=403)
    appealed = await site.told("POST", f"{path}/appeal", as_="anna", json={"text": "I did greet"})
    assert appealed["state"] == "appealed"
    await site.refused("POST", f"{path}/appeal", as_="anna", json={"text": "again"}, status=409)
    error = await site.refused("POST", f"{path}/resolve", as_="qa", json={"text": "no"}, status=409)
    assert "his own review" in error["message"]
    resolved = await site.told(
        "POST", f"{path}/resolve", json={"text": "right", "answers": {"greeting": {"value": "yes"}}}
    )
    assert (resolved["state"], resolved["points"], resolved["passed"]) == ("resolved", 62.5, True)

    whole = await site.told("GET", path, as_="anna")
    assert [one["move"] for one in whole["history"]] == [
        "begun",
        "answered",
        "submitted",
        "appealed",
        "resolved",
    ]
    assert whole["history"][1]["change"]["answers"] == {
        "greeting": ["yes", "no"],
        "care": [None, "2"],
        "law": [None, "na"],
    }
    assert [(one["by"], one["seconds"]) for one in whole["comments"]] == [("anna", 1.5)]


async def test_a_failed_fatal_question_zeroes_the_score_and_is_told(site: Site) -> None:
    await site.told("PUT", "quality/cards/sales", json={"card": plain_card()})
    call_id = await a_judged_call(site)
    with site.bus.subscribe() as events:
        done = await scored(site, call_id, {"greeting": "yes", "care": "4", "law": "no"})
        told = await events.get()
    assert (done["points"], done["fatal"]) == (0.0, ["law"])
    assert (told.fatal, told.agent_id) == (("law",), site.anna)  # type: ignore[union-attr]


def plain_card() -> dict[str, Any]:
    """Return the card without automatic answers."""
    sections = [
        {
            **section,
            "questions": [
                {key: value for key, value in question.items() if key != "auto"}
                for question in section["questions"]  # type: ignore[attr-defined]
            ],
        }
        for section in CARD["sections"]  # type: ignore[attr-defined]
    ]
    return CARD | {"sections": sections}


async def test_a_changed_card_leaves_old_scores_and_drafts_as_they_are(site: Site) -> None:
    await site.told("PUT", "quality/cards/sales", json={"card": plain_card()})
    call_id = await a_judged_call(site)
    draft = await site.told(
        "POST", "quality/reviews", as_="qa", status=201, json={"call": call_id, "card": "sales"}
    )
    shorter = {"sections": [{"title": "Only", "questions": [{"code": "other", "text": "Other?"}]}]}
    changed = await site.told("PUT", "quality/cards/sales", json={"card": shorter})
    assert changed["version"] == 2
    done = await scored(site, call_id, {"greeting": "yes", "care": "4", "law": "yes"})
    assert (done["id"], done["card_version"], done["points"]) == (draft["id"], 1, 100.0)
    old = await site.told("GET", "quality/cards/sales?version=1", as_="anna")
    assert old["questions"] == 3


async def test_a_card_that_asks_for_an_unknown_rule_is_refused(site: Site) -> None:
    error = await site.refused("PUT", "quality/cards/sales", json={"card": CARD}, status=422)
    assert "asks for a keyword rule 'hello' that is not there" in error["message"]
    await site.refused("GET", "quality/cards/sales", status=404)


async def test_an_answer_of_an_older_edition_or_of_nobody_is_refused(site: Site) -> None:
    await site.told("PUT", "quality/cards/sales", json={"card": plain_card()})
    call_id = await a_judged_call(site)
    order = {"call": call_id, "card": "sales"}
    draft = await site.told("POST", "quality/reviews", as_="qa", status=201, json=order)
    path = f"quality/reviews/{draft['id']}"
    one = {"answers": {"care": {"value": "3"}}, "edition": 1}
    await site.told("PATCH", path, as_="qa", json=one)
    await site.refused("PATCH", path, as_="qa", json=one, status=409)
    await site.refused("PATCH", path, json=one | {"edition": 2}, status=409)
    error = await site.refused(
        "PATCH", path, as_="qa", json={"answers": {"nope": {"value": "1"}}, "edition": 2}, status=422
    )
    assert error["message"] == "answers.nope: the card has no such question"
    await site.refused("POST", "quality/reviews", json=order, status=409)  # the call is the reviewer's
    await site.refused("POST", "quality/reviews", json=order | {"card": "x"}, status=404)


async def test_a_lapsed_draft_is_taken_over_by_who_claims_the_call(site: Site) -> None:
    await with_rules(site)
    await site.told("PUT", "quality/cards/sales", json={"card": plain_card()})
    call_id = await a_judged_call(site, ("agent", 1, "guaranteed"))
    order = {"call": call_id, "card": "sales"}
    await site.told("POST", "quality/queue/claim", as_="qa", json={})
    draft = await site.told("POST", "quality/reviews", as_="qa", status=201, json=order)
    clock_of(site).advance(29 * 60)
    await site.told("PATCH", f"quality/reviews/{draft['id']}", as_="qa", json={"answers": {}, "edition": 1})
    clock_of(site).advance(29 * 60)
    assert (await site.told("POST", "quality/queue/claim", json={}))["place"] is None  # he is at it
    await site.refused("POST", "quality/reviews", json=order, status=409)
    clock_of(site).advance(60)
    await site.told("POST", "quality/queue/claim", json={})

    taken = await site.told("POST", "quality/reviews", status=201, json=order)

    assert (taken["id"], taken["reviewer"]) == (draft["id"], "lead")
    stale = {"answers": {}, "edition": taken["edition"]}
    await site.refused("PATCH", f"quality/reviews/{draft['id']}", as_="qa", json=stale, status=409)


def clock_of(site: Site) -> FakeClock:
    app = site.client.app
    assert app is not None
    clock = app[DEPS].clock
    assert isinstance(clock, FakeClock)
    return clock


async def test_reviewers_are_compared_on_the_same_call(site: Site) -> None:
    await site.told("PUT", "quality/cards/sales", json={"card": plain_card()})
    call_id = await a_judged_call(site)
    await scored(site, call_id, {"greeting": "yes", "care": "4", "law": "yes"})
    beside = await site.told(
        "POST",
        "quality/reviews",
        status=201,
        json={"call": call_id, "card": "sales", "calibration": True},
    )
    path = f"quality/reviews/{beside['id']}"
    answers = {
        code: {"value": value} for code, value in {"greeting": "yes", "care": "0", "law": "yes"}.items()
    }
    beside = await site.told("PATCH", path, json={"answers": answers, "edition": 1})
    await site.told("POST", f"{path}/submit", json={"edition": 2})
    [row] = (await site.told("GET", "quality/results/calibration", params=span()))["rows"]
    assert (row["reviewers"], row["spread"], row["agreement"]) == (2, 60.0, pytest.approx(2 / 3, abs=1e-4))
    assert [one["id"] for one in (await site.told("GET", "quality/reviews", as_="anna"))["reviews"]] != [
        beside["id"]
    ]
    [by_agent] = (await site.told("GET", "quality/results/agents", params=span()))["rows"]
    assert (by_agent["reviews"], by_agent["points"]) == (1, 100.0)


async def test_results_are_tables_and_csv(site: Site) -> None:
    await with_rules(site)
    await site.told("PUT", "quality/cards/sales", json={"card": CARD})
    call_id = await a_judged_call(site, ("agent", 1, "guaranteed"))
    await a_judged_call(site, ("agent", 1, "good morning"), agent="bob", seconds=10)
    await scored(site, call_id, {"care": "4", "law": "yes"})
    table = await site.told("GET", "quality/results/days", params=span())
    [day] = table["rows"]
    assert (day["day"], day["calls"], day["flagged"], day["points"]) == ("2026-11-23", 2, 1, 80.0)
    [week] = (await site.told("GET", "quality/results/weeks", params=span()))["rows"]
    assert week["week"] == "2026-W48"
    rules = (await site.told("GET", "quality/results/rules", params=span()))["rows"]
    assert [(row["rule"], row["calls"]) for row in rules] == [("hello", 1), ("promise", 1)]
    questions = (await site.told("GET", "quality/results/questions", params=span()))["rows"]
    assert [(row["question"], row["points_share"]) for row in questions] == [
        ("greeting", 0.0),
        ("care", 1.0),
        ("law", 1.0),
    ]
    answer = await site.ask("GET", "quality/results/reviewers?format=csv", params=span())
    [row] = csv.DictReader(io.StringIO(await answer.text()))
    assert (row["reviewer"], row["reviews"]) == ("qa", "1")
    error = await site.refused(
        "GET",
        "quality/results/days",
        params={"since": "2020-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        status=422,
    )
    assert "more than 120 days" in error["message"]
    await site.refused("GET", "quality/results/beauty", status=404)


async def test_a_week_is_drawn_the_same_twice(site: Site) -> None:
    past = -7 * 86_400
    for n in range(6):
        await a_judged_call(site, seconds=past + n, agent="anna" if n % 2 else "bob")
    first = await site.told("POST", "quality/queue/sample", json={"quota": 2})
    assert (first["week"], first["calls"], len(first["drawn"]), first["added"]) == ("2026-W47", 6, 4, 4)
    again = await site.told("POST", "quality/queue/sample", json={"quota": 2})
    assert (again["drawn"], again["added"]) == (first["drawn"], 0)
    error = await site.refused(
        "POST", "quality/queue/sample", json={"quota": 2, "week": "2026-W48"}, status=422
    )
    assert error["message"] == "week: 2026-W48 is not over; a draw is made of whole weeks"


async def test_a_place_is_given_back_and_dropped(site: Site) -> None:
    call_id = await a_judged_call(site)
    await site.told("POST", "quality/queue", status=201, json={"call": call_id, "reason": "a complaint"})
    await site.refused("POST", "quality/queue", json={"call": call_id}, status=409)
    place = (await site.told("POST", "quality/queue/claim", as_="qa", json={}))["place"]
    assert (place["claimed_by"], place["reason"]) == ("qa", "a complaint")
    path = f"quality/queue/{place['id']}"
    await site.refused("POST", f"{path}/release", status=409)
    await site.told("POST", f"{path}/release", as_="qa")
    await site.told("DELETE", path)
    await site.refused("DELETE", path, status=404)


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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "quality/rules"),
        ("PUT", "quality/rules/x"),
        ("POST", "quality/rules/x/retire"),
        ("PUT", "quality/cards/x"),
        ("POST", "quality/cards/x/retire"),
        ("POST", "quality/rescans"),
        ("POST", "quality/rescans/1/stop"),
        ("POST", "quality/queue/sample"),
        ("DELETE", "quality/queue/1"),
    ],
)
async def test_what_leads_decide_is_closed_to_reviewers_and_agents(
    site: Site, method: str, path: str
) -> None:
    for who in ("qa", "anna"):
        await site.refused(method, path, as_=who, json={}, status=403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "quality/rules/try"),
        ("GET", "quality/rescans"),
        ("GET", "quality/queue"),
        ("POST", "quality/queue"),
        ("POST", "quality/queue/claim"),
        ("POST", "quality/queue/1/release"),
        ("POST", "quality/reviews"),
        ("PATCH", "quality/reviews/1"),
        ("POST", "quality/reviews/1/submit"),
        ("POST", "quality/reviews/1/resolve"),
    ],
)
async def test_what_reviewers_do_is_closed_to_agents(site: Site, method: str, path: str) -> None:
    await site.refused(method, path, as_="anna", json={}, status=403)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "agents/anna/pause"),
        ("POST", "pool/claim"),
        ("POST", "contacts/7/return"),
        ("PUT", f"calls/{'0' * 32}/disposition"),
        ("POST", "campaigns/1/start"),
        ("POST", "views"),
    ],
)
async def test_a_reviewer_changes_nothing_but_reviews(site: Site, method: str, path: str) -> None:
    error = await site.refused(method, path, as_="qa", json={}, status=403)
    assert error["message"] == "the role qa may change nothing but reviews"


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
