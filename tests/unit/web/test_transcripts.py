"""Transcripts and search over the API."""

from dataclasses import replace
from typing import Any

import pytest

from cti.model.calls import Call, CallState
from cti.model.searches import MarkKind
from tests.builders import a_call, later
from tests.fakes.site import Site
from tests.talk import A, C, a_transcript, said


async def spoken(site: Site, *segments: Any, at: float = 0, **given: Any) -> Call:
    call = a_call(placed_at=later(at), campaign_id=1, **given)
    await site.store.calls.place([(call, None)])
    await site.store.calls.save([replace(call, state=CallState.ENDED)])
    await site.store.transcripts.save(a_transcript(call.id, segments))
    return call


HELLO = (said(A, "good morning <b>", at=1.5), said(C, "a refund & now", at=65.25))


async def test_a_transcript_is_told_with_words_and_times(site: Site) -> None:
    call = await spoken(site, *HELLO)

    told = await site.told("GET", f"calls/{call.id}/transcript")

    assert (told["call_id"], told["version"], told["language"], told["made_at"]) == (
        call.id,
        1,
        "en",
        "2026-11-23T09:01:40.000000Z",
    )
    assert told["segments"][1]["words"][1] == ["refund", 65.75, 66.25, 0.9]
    assert told["segments"][1] | {"words": 0} == {
        "speaker": "customer",
        "start": 65.25,
        "end": 67.25,
        "text": "a refund & now",
        "confidence": 0.9,
        "words": 0,
    }


@pytest.mark.parametrize(
    ("form", "media", "expected"),
    [
        pytest.param(
            "text",
            "text/plain",
            "[00:01] Agent: good morning <b>\n[01:05] Customer: a refund & now\n",
            id="text",
        ),
        pytest.param(
            "srt",
            "application/x-subrip",
            "1\n00:00:01,500 --> 00:00:03,000\nAgent: good morning <b>\n\n"
            "2\n00:01:05,250 --> 00:01:07,250\nCustomer: a refund & now\n\n",
            id="srt",
        ),
        pytest.param(
            "vtt",
            "text/vtt",
            "WEBVTT\n\n00:00:01.500 --> 00:00:03.000\n<v Agent>good morning &lt;b&gt;\n\n"
            "00:01:05.250 --> 00:01:07.250\n<v Customer>a refund &amp; now\n\n",
            id="vtt",
        ),
    ],
)
async def test_forms_of_a_transcript(site: Site, form: str, media: str, expected: str) -> None:
    call = await spoken(site, *HELLO)

    answer = await site.ask("GET", f"calls/{call.id}/transcript?format={form}")

    assert (answer.status, answer.content_type, await answer.text()) == (200, media, expected)


async def test_versions_are_listed_and_told(site: Site) -> None:
    call = await spoken(site, said(C, "hallo"))
    better = a_transcript(call.id, [said(C, "hello")], fingerprint="f2", model="large")
    await site.store.transcripts.save(better)

    told = await site.told("GET", f"calls/{call.id}/transcripts")
    old = await site.told("GET", f"calls/{call.id}/transcript?version=1")

    assert [(one["version"], one["model"]) for one in told["versions"]] == [(2, "large"), (1, "small-en-us")]
    assert old["segments"][0]["text"] == "hallo"
    error = await site.refused("GET", f"calls/{call.id}/transcript?version=3", status=404)
    assert "no transcript of version 3" in error["message"]


async def test_what_is_not_there_is_said(site: Site) -> None:
    call = a_call()
    await site.store.calls.place([(call, None)])

    assert (
        "has no transcript"
        in (await site.refused("GET", f"calls/{call.id}/transcript", status=404))["message"]
    )
    await site.refused("GET", f"calls/{'f' * 32}/transcript", status=404)
    await site.refused("GET", f"calls/{call.id}/transcript?format=pdf", status=422)


async def test_a_search_tells_the_sentence_its_second_and_what_was_found(site: Site) -> None:
    call = await spoken(site, *HELLO, agent_id=site.anna)
    site.store.tables.call_marks[call.id, MarkKind.SCORE, "quality"] = 80.0

    told = await site.told("GET", "search", params={"q": "refund", "speaker": "customer", "min_score": "70"})

    assert told == {
        "hits": [
            {
                "call_id": call.id,
                "version": 1,
                "placed_at": "2026-11-23T09:00:00.000000Z",
                "campaign": "autumn",
                "agent": "anna",
                "list_id": None,
                "disposition": None,
                "speaker": "customer",
                "start": 65.25,
                "end": 67.25,
                "at": 65.75,
                "text": "a refund & now",
                "marks": [[2, 8]],
                "confidence": 0.9,
            }
        ],
        "next": None,
    }


async def test_filters_of_a_search(site: Site) -> None:
    one = await spoken(site, said(C, "refund one"), agent_id=site.anna, at=1)
    two = await spoken(site, said(A, "refund two"), agent_id=site.bob, at=2)
    await site.store.calls.set_disposition(one.id, agent_id=None, disposition="sold", note="", at=later(9))
    site.store.tables.call_marks[two.id, MarkKind.RULE, "no promises"] = None

    async def found(**asked: str) -> list[str]:
        told = await site.told("GET", "search", params={"q": "refund", **asked})
        return [hit["text"] for hit in told["hits"]]

    assert await found() == ["refund two", "refund one"]
    assert await found(agent="anna") == ["refund one"]
    assert await found(campaign="autumn", speaker="agent") == ["refund two"]
    assert await found(disposition="sold") == ["refund one"]
    assert await found(rule="no promises") == ["refund two"]
    assert await found(call=one.id) == ["refund one"]
    assert await found(since=later(2).isoformat()) == ["refund two"]
    assert await found(until=later(2).isoformat()) == ["refund one"]
    assert await found(list="7") == []
    assert await found(min_seconds="61") == []


async def test_pages_of_a_search(site: Site) -> None:
    for n in range(5):
        await spoken(site, said(C, f"refund {n}"), at=n)
    for order in ("newest", "rank"):
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            asked = {"q": "refund", "limit": "2", "order": order, **cursor}
            told = await site.told("GET", "search", params=asked)
            seen += [hit["text"] for hit in told["hits"]]
            if told["next"] is None:
                break
            cursor = {"cursor": told["next"]}
        assert seen == [f"refund {n}" for n in (4, 3, 2, 1, 0)]


async def test_a_long_utterance_is_cut_around_what_was_found(site: Site) -> None:
    await spoken(site, said(C, " ".join(["well"] * 100 + ["refund"] + ["so"] * 100)))

    (hit,) = (await site.told("GET", "search?q=refund"))["hits"]

    assert len(hit["text"]) <= 202
    [[start, end]] = hit["marks"]
    assert hit["text"][start:end] == "refund"
    assert hit["text"].startswith("…")
    assert hit["text"].endswith("…")


async def test_an_agent_sees_his_own_calls_only(site: Site) -> None:
    mine = await spoken(site, said(C, "refund mine"), agent_id=site.anna)
    theirs = await spoken(site, said(C, "refund theirs"), agent_id=site.bob)

    told = await site.told("GET", "search?q=refund", as_="anna")

    assert [hit["text"] for hit in told["hits"]] == ["refund mine"]
    await site.refused("GET", "search?q=refund&agent=bob", as_="anna", status=403)
    await site.told("GET", f"calls/{mine.id}/transcript", as_="anna")
    await site.refused("GET", f"calls/{theirs.id}/transcript", as_="anna", status=403)
    await site.refused("GET", f"calls/{theirs.id}/transcripts", as_="anna", status=403)
    await site.refused("GET", "search?q=refund", as_=None, status=401)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({}, "q: is missing", id="nothing asked"),
        pytest.param({"q": "(refund"}, "letter 1: the parenthesis is not closed", id="an open parenthesis"),
        pytest.param({"q": "a" * 5000}, "at most 1000 letters", id="too long"),
        pytest.param({"q": "a NEAR b", "scope": "call"}, "NEAR asks for one utterance", id="near in a call"),
        pytest.param({"q": "a", "cursor": "x1"}, "cursor: is none of ours", id="a cursor of nobody"),
        pytest.param({"q": "a", "cursor": "r2"}, "cursor: is none of ours", id="of another order"),
        pytest.param({"q": "a", "cursor": "n" + "f" * 16}, "cursor: is none", id="a cursor too large"),
        pytest.param({"q": "a", "campaign": "spring"}, "no campaign", id="no such campaign"),
        pytest.param({"q": "a", "limit": "201"}, "limit", id="too many"),
        pytest.param({"q": "a", "since": "2026-11-23T10:00:00"}, "since", id="a time without zone"),
        pytest.param({"q": "a", "min_score": "nan"}, "min_score", id="not a number"),
    ],
)
async def test_a_wrong_search_is_refused_in_words(site: Site, asked: dict[str, str], message: str) -> None:
    answer = await site.ask("GET", "search", params=asked)
    assert answer.status in (404, 422)
    assert message in (await answer.json())["error"]["message"]
