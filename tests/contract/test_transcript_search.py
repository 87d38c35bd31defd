"""The contract of `TranscriptSearch`: what was said is found, on every store the same."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cti.model.calls import Call, CallState, Join
from cti.model.searches import After, Found, Hit, MarkKind, SearchFilter, SearchOrder, SearchScope
from cti.model.transcripts import Segment
from cti.search.matching import holds
from cti.search.ports import Asked
from cti.search.query import parse
from cti.search.units import units_of
from cti.storage.mark_rows import replace_marks
from tests.builders import a_call, later
from tests.contract.conftest import Store
from tests.contract.people import a_stored_agent, a_stored_campaign
from tests.fakes.memory_store import MemoryStore
from tests.talk import A, C, a_transcript, dialogue, said


async def spoken(store: Store, segments: Sequence[Segment], *, at: float = 0, **given: Any) -> Call:
    """Store a call with what was said in it."""
    call = a_call(placed_at=later(at), **given)
    await store.calls.place([(call, None)])
    await store.transcripts.save(a_transcript(call.id, segments))
    return call


async def found(store: Store, query: str, **given: Any) -> Found:
    scope = given.pop("scope", SearchScope.SEGMENT)
    order, limit, after = (
        given.pop("order", SearchOrder.NEWEST),
        given.pop("limit", 20),
        given.pop("after", None),
    )
    return await store.search.find(
        Asked(
            query=parse(query, per_call=scope is SearchScope.CALL),
            narrow=SearchFilter(**given),
            scope=scope,
            order=order,
            limit=limit,
            after=after,
        )
    )


async def texts(store: Store, query: str, **given: Any) -> list[str]:
    return [hit.text for hit in (await found(store, query, **given)).hits]


async def test_a_hit_tells_where_when_and_who(store: Store) -> None:
    campaign_id, agent_id = await a_stored_campaign(store), await a_stored_agent(store)
    call = await spoken(store, [said(A, "you can have a refund today", at=10.0)], campaign_id=campaign_id)
    talking = replace(call, state=CallState.CONNECTED, agent_id=agent_id)
    await store.calls.save([talking])
    await store.calls.set_disposition(call.id, agent_id=agent_id, disposition="sold", note="", at=later(2))

    (hit,) = (await found(store, "refund")).hits

    assert hit == Hit(
        segment_id=hit.segment_id,
        call_id=call.id,
        version=1,
        placed_at=call.placed_at,
        campaign="autumn",
        agent="anna",
        list_id=None,
        disposition="sold",
        speaker=A,
        start=10.0,
        end=13.0,
        at=12.0,
        text="you can have a refund today",
        marks=((15, 21),),
        confidence=0.9,
    )


TALK = (
    "我想 退 款 谢谢",
    "请问您的身份证号码是多少",
    "I want my money back",
    "we give no money, back then we did",
    "don't call me again e-mail me",
    "환불 을 원 합니다",
    "APP付款 失败了",
    "hello",
)


@pytest.mark.parametrize(
    ("query", "places"),
    [
        pytest.param("退款", [0], id="two characters that the engine split"),
        pytest.param("身份证", [1], id="three characters"),
        pytest.param("证", [1], id="one character"),
        pytest.param("了", [6], id="the last character"),
        pytest.param("款", [0, 6], id="a character at an end and within"),
        pytest.param("款谢", [0], id="across a space"),
        pytest.param("身份 号码", [1], id="both words"),
        pytest.param("money back", [2, 3], id="both words in any order"),
        pytest.param('"money back"', [2, 3], id="a phrase, whatever the punctuation"),
        pytest.param('"my money back"', [2], id="a longer phrase"),
        pytest.param('"back money"', [], id="a phrase has an order"),
        pytest.param("mone", [], id="a word is whole"),
        pytest.param("mon*", [2, 3], id="a prefix"),
        pytest.param('"my mon*"', [2], id="a prefix in a phrase"),
        pytest.param("money NOT my", [3], id="not"),
        pytest.param("hello OR 退款", [0, 7], id="or"),
        pytest.param("(hello OR money) AND NOT (want OR 失败)", [3, 7], id="parentheses"),
        pytest.param("want NEAR/1 money", [2], id="near"),
        pytest.param("money NEAR/1 want", [2], id="near, the other way round"),
        pytest.param("we NEAR/1 money", [], id="not near enough"),
        pytest.param("we NEAR/2 money", [3], id="near enough"),
        pytest.param("身份 NEAR/2 码", [1], id="near among characters"),
        pytest.param("money NOT (we NEAR/1 money)", [2, 3], id="not near excludes what is near alone"),
        pytest.param("money NOT (we NEAR/2 money)", [2], id="not near"),
        pytest.param("dont", [4], id="without the apostrophe"),
        pytest.param("don’t", [4], id="another apostrophe"),
        pytest.param("e-mail", [4], id="a hyphen"),
        pytest.param("MONEY", [2, 3], id="capital letters"),
        pytest.param("ｍｏｎｅｙ", [2, 3], id="full-width letters"),
        pytest.param("환불을", [5], id="Korean that the engine split"),
        pytest.param("원합", [5], id="within Korean"),
        pytest.param("app付款失", [6], id="letters and characters"),
        pytest.param("app", [6], id="letters beside characters"),
        pytest.param("nothing", [], id="what nobody said"),
    ],
)
async def test_queries(store: Store, query: str, places: list[int]) -> None:
    await spoken(store, dialogue(*TALK))

    assert await texts(store, query) == [TALK[place] for place in reversed(places)]


async def test_all_words_are_in_one_utterance_or_in_one_call_as_asked(store: Store) -> None:
    await spoken(store, dialogue("it costs ninety", "a refund is fine", "good"), at=1)
    await spoken(store, dialogue("a refund of ninety", "no"), at=2)
    await spoken(store, dialogue("ninety", "never"), at=3)

    assert await texts(store, "refund ninety") == ["a refund of ninety"]
    call = {"scope": SearchScope.CALL}
    assert await texts(store, "refund ninety", **call) == [
        "a refund of ninety",
        "a refund is fine",
        "it costs ninety",
    ]
    assert await texts(store, "ninety NOT refund", **call) == ["ninety"]
    assert await texts(store, "refund NOT (good OR never)", **call) == ["a refund of ninety"]
    assert await texts(store, "never OR (refund good)", **call) == ["never", "good", "a refund is fine"]
    assert await texts(store, "refund ninety", speaker=C, **call) == ["a refund of ninety"]
    first = await found(store, "refund ninety", limit=2, **call)
    rest = await found(store, "refund ninety", limit=2, after=first.next, **call)
    assert [hit.text for hit in (*first.hits, *rest.hits)] == [
        "a refund of ninety",
        "a refund is fine",
        "it costs ninety",
    ]
    assert rest.next is None


async def test_filters_of_what_the_call_is(store: Store) -> None:
    autumn, winter = await a_stored_campaign(store), await a_stored_campaign(store, name="winter")
    anna, bob = await a_stored_agent(store), await a_stored_agent(store, login="bob")
    stay = Join(agent_id=bob, channel_id="waihu-a-2-0a", joined_at=later(1))
    one = a_call(placed_at=later(1), campaign_id=autumn, agent_id=anna)
    two = a_call(placed_at=later(2), campaign_id=winter, agent_id=anna)
    await store.calls.place([(one, None), (two, None)])
    await store.calls.save([replace(two, state=CallState.CONNECTED, joins=(stay,))])
    for call in (one, two):
        await store.transcripts.save(
            a_transcript(call.id, [said(C, f"hello {call.campaign_id}"), said(A, "hello agent", at=5)])
        )
    await store.calls.set_disposition(two.id, agent_id=anna, disposition="sold", note="", at=later(9))

    async def calls(**given: Any) -> list[str]:
        hits = (await found(store, "hello", **given)).hits
        return sorted({"one" if hit.call_id == one.id else "two" for hit in hits})

    assert await calls() == ["one", "two"]
    assert await calls(campaign_id=autumn) == ["one"]
    assert await calls(agent_id=anna) == ["one", "two"]
    assert await calls(agent_id=bob) == ["two"]
    assert await calls(agent_id=bob, campaign_id=autumn) == []
    assert await calls(since=later(2)) == ["two"]
    assert await calls(until=later(2)) == ["one"]
    assert await calls(since=later(1), until=later(3)) == ["one", "two"]
    assert await calls(since=datetime(1900, 1, 1, tzinfo=UTC)) == ["one", "two"]
    assert await calls(since=datetime(9999, 1, 1, tzinfo=UTC)) == []
    assert await calls(disposition="sold") == ["two"]
    assert await calls(call_id=one.id) == ["one"]
    assert await calls(call_id="f" * 32) == []
    assert await texts(store, "hello", speaker=A) == ["hello agent", "hello agent"]
    assert await texts(store, "hello", speaker=A, call_id=two.id) == ["hello agent"]


async def test_filters_of_what_the_transcript_is(store: Store) -> None:
    sure, unsure = said(C, "hello sure"), said(C, "hello unsure", at=5)
    words = tuple(replace(word, confidence=0.3) for word in unsure.words)
    nobody = tuple(replace(word, confidence=None) for word in said(C, "hello whisper", at=8).words)
    call = await spoken(store, [sure, replace(unsure, words=words), Segment(speaker=C, words=nobody)])

    assert await texts(store, "hello", min_confidence=0.5) == ["hello sure"]
    assert len(await texts(store, "hello", min_seconds=60, max_seconds=60)) == 3
    assert await texts(store, "hello", min_seconds=60.5) == []
    assert await texts(store, "hello", max_seconds=59.5) == []
    assert (await found(store, "sure", call_id=call.id)).hits[0].start == 0.0


async def marked(store: Store, call: Call, kind: MarkKind, marks: dict[str, float | None]) -> None:
    if isinstance(store, MemoryStore):
        for name, value in marks.items():
            store.tables.call_marks[call.id, kind, name] = value
        return
    async with store.transcripts._connections.writing() as connection:
        await replace_marks(connection, call.id, kind, {"gone": 1.0})
        await replace_marks(connection, call.id, kind, marks)


async def test_filters_of_what_judging_left(store: Store) -> None:
    good, bad = await spoken(store, dialogue("hello good"), at=1), await spoken(store, dialogue("hello bad"))
    await spoken(store, dialogue("hello unjudged"), at=-1)
    await marked(store, good, MarkKind.SCORE, {"service": 91.5, "law": 40.0})
    await marked(store, bad, MarkKind.SCORE, {"service": 60.0})
    await marked(store, bad, MarkKind.RULE, {"no promises": None, "80": None})

    assert await texts(store, "hello", min_score=91.5) == ["hello good"]
    assert await texts(store, "hello", max_score=60) == ["hello good", "hello bad"]
    assert await texts(store, "hello", min_score=50, max_score=70) == ["hello bad"]
    assert await texts(store, "hello", rule="no promises") == ["hello bad"]
    assert await texts(store, "hello", rule="service") == []
    assert await texts(store, "hello", rule="gone", scope=SearchScope.CALL) == []
    assert await texts(store, "hello", rule="80", scope=SearchScope.CALL) == ["hello bad"]


async def test_only_the_current_version_is_found(store: Store) -> None:
    call = await spoken(store, dialogue("hallo old", "gone"))
    await store.transcripts.save(a_transcript(call.id, dialogue("hello new"), fingerprint="f2"))

    assert await texts(store, "old OR gone OR hallo") == []
    (hit,) = (await found(store, "hello")).hits
    assert hit.version == 2
    await store.transcripts.forget([call.id])
    assert await texts(store, "hello") == []


async def test_pages_follow_each_other_without_gap_or_double(store: Store) -> None:
    for n in range(7):
        await spoken(store, dialogue(f"hello {n} a", "well", f"hello {n} b"), at=n)
    seen: list[str] = []
    after: After | None = None
    while True:
        page = await found(store, "hello", limit=4, after=after)
        seen += [hit.text for hit in page.hits]
        after = page.next
        if after is None:
            break

    assert seen == [f"hello {n} {letter}" for n in range(6, -1, -1) for letter in "ba"]


async def test_the_newest_come_first_however_far_back_they_are(store: Store) -> None:
    days = (0, 0.5, 3, 20, 33, 100, 700, 3000)
    for day in days:
        await spoken(store, dialogue(f"hello day {day}", "well"), at=-86400 * day)
    expected = [f"hello day {day}" for day in days]

    assert await texts(store, "hello") == expected
    for limit in range(1, 8):
        page = await found(store, "hello", limit=limit)
        assert [hit.text for hit in page.hits] == expected[:limit]
        rest = await found(store, "hello", after=page.next)
        assert [hit.text for hit in rest.hits] == expected[limit:]
    since, until = later(-86400 * 101), later(-86400)
    assert await texts(store, "hello", since=since, until=until) == expected[2:6]
    assert await texts(store, "hello", since=since, limit=3) == expected[:3]
    assert await texts(store, "hello day 700", until=until) == expected[6:7]


async def test_rank_puts_first_what_is_most_about_the_words(store: Store) -> None:
    await spoken(
        store,
        dialogue("refund or discount", "discount please", "a discount", "what about some discount for me"),
    )

    ranked = {"order": SearchOrder.RANK, "limit": 2}
    first = await found(store, "refund OR discount", **ranked)
    rest = await found(store, "refund OR discount", after=first.next, **ranked)

    assert [hit.text for hit in (*first.hits, *rest.hits)] == [
        "refund or discount",
        "a discount",
        "discount please",
        "what about some discount for me",
    ]
    assert rest.next is None


async def test_the_moment_is_that_of_the_word_and_all_that_was_found_is_marked(store: Store) -> None:
    words = said(C, "我 要 退 款 退 款", at=20.0, each=0.25)
    await spoken(store, [replace(words, text="我要退款，退款！")])

    (hit,) = (await found(store, "退款")).hits

    assert (hit.at, hit.marks) == (20.5, ((2, 4), (5, 7)))


async def test_very_long_words_and_utterances_are_found(store: Store) -> None:
    word = "a" * 5000
    text = " ".join(f"word{n}" for n in range(3000))
    await spoken(store, [said(C, word), said(C, word[:-1] + "b", at=1), said(A, text, at=2, each=0.01)])

    assert await texts(store, "a" * 59 + "*") == [word[:-1] + "b", word]
    assert await texts(store, '"word2998 word2999"') == [text]


async def test_an_utterance_without_a_word_is_kept_and_never_found(store: Store) -> None:
    call = await spoken(store, [said(C, "… ?"), said(A, "hello", at=1)])

    assert await texts(store, "hello") == ["hello"]
    await store.transcripts.save(a_transcript(call.id, [], fingerprint="f2"))
    assert await texts(store, "hello") == []


LETTERS = "我你他是的不了一在人有好退款谢谢ab"


async def test_every_part_of_what_was_said_is_found(store: Store) -> None:
    chance = random.Random(5)
    lines = ["".join(chance.choices(LETTERS, k=chance.randint(1, 12))) for _ in range(60)]
    calls = [await spoken(store, dialogue(*lines[n : n + 6]), at=n) for n in range(0, 60, 6)]
    assert len(calls) == 10
    for _ in range(120):
        line = chance.choice(lines)
        start = chance.randrange(len(line))
        part = line[start : start + chance.randint(1, 5)]
        if any(letter.isascii() for letter in part):
            continue
        expected = sorted(one for one in lines if part in one)
        assert sorted(await texts(store, part, limit=100)) == expected, part


@pytest.mark.parametrize(
    "query",
    [
        "' or 1=1 --",
        "\\ % _ ' ; DROP TABLE segments",
        "terms:hello",
        "hello:* & ! | <-> x",
        "{terms} : hello",
        "^hello + hello",
        "hel\u0000lo",
        "𠀀𠀁 😀 hello",
        "near hello",
        "sagent",
    ],
)
async def test_operators_of_the_databases_mean_nothing(store: Store, query: str) -> None:
    await spoken(store, dialogue("hello", "drop table segments or 1 1"))

    assert len(await texts(store, query)) <= 1
    assert await texts(store, "hello") == ["hello"]


WORDS = ("退款", "款", "refund", "re*", '"a b"', "ok", "好的", '"ok 退"', "a NEAR/1 refund", "退 NEAR/2 好")


def some_query(chance: random.Random, depth: int = 0) -> str:
    if depth > 2 or chance.random() < 0.4:
        return chance.choice(WORDS)
    one, other = some_query(chance, depth + 1), some_query(chance, depth + 1)
    return f"({one} {chance.choice(('AND', 'OR', 'NOT'))} {other})"


async def test_any_query_finds_just_what_it_holds_for(store: Store) -> None:
    chance = random.Random(8)
    parts = ("退", "款", "退 款", "refund", "re", "a", "b", "ok", "好", "的", " ", " ", "reach")
    lines = ["".join(chance.choices(parts, k=chance.randint(2, 9))) + " end" for _ in range(80)]
    for n in range(0, 80, 8):
        await spoken(store, dialogue(*lines[n : n + 8]), at=n)
    for _ in range(60):
        query = some_query(chance)
        expected = sorted(" ".join(line.split()) for line in lines if holds(parse(query), units_of(line)))
        assert sorted(await texts(store, query, limit=100)) == expected, query
