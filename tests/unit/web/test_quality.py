"""Cards, reviews, the queue and results at the API."""

import csv
import io

import pytest

from cti.web.deps import DEPS
from tests.fakes.clock import FakeClock
from tests.fakes.site import Site
from tests.unit.web.judging import CARD, a_judged_call, plain_card, scored, span, with_rules


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
