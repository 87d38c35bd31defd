"""`RuleStore` and `CardStore`: versions that nobody changes, the same in memory, on SQLite and on PostgreSQL."""

import asyncio
from dataclasses import replace

import pytest

from cti.errors import NotFound
from cti.model.keyword_rules import RuleKind, Severity
from cti.model.score_cards import AutoAnswer, Choice, Question, QuestionKind
from cti.model.transcripts import Speaker
from tests.builders import NOW, later
from tests.contract.conftest import OpenStore, Store
from tests.contract.people import a_stored_campaign
from tests.said import a_card, a_rule


async def test_rules_come_back_whole_with_versions_and_revisions(store: Store) -> None:
    campaign_id = await a_stored_campaign(store, contacts=0)
    first = a_rule(
        "保证 收益",
        'it\'s "sure"',
        code="promise",
        title="Promises",
        speaker=Speaker.AGENT,
        first_seconds=12.5,
        near=("money",),
        near_words=3,
        inflect=True,
        severity=Severity.ALERT,
        campaigns=(campaign_id,),
        language="zh-CN",
    )
    second = a_rule("good morning", code="greeting", kind=RuleKind.MUST_SAY)
    rules = store.quality.rules

    made = await rules.add_rule_versions([first, second], by="lead", at=NOW)
    made += await rules.add_rule_versions([replace(first, active=False)], by="admin", at=later(1))

    assert [(one.revision, one.version, one.by) for one in made] == [
        (1, 1, "lead"),
        (2, 1, "lead"),
        (3, 2, "admin"),
    ]
    assert await rules.rule_versions() == made
    assert made[0].rule == first


async def test_a_rule_of_a_campaign_that_is_not_there_writes_none(store: Store) -> None:
    with pytest.raises(NotFound, match="there is no campaign 77"):
        await store.quality.rules.add_rule_versions(
            [a_rule("a", code="a"), a_rule("b", code="b", campaigns=(77,))], by="lead", at=NOW
        )
    assert await store.quality.rules.rule_versions() == []


async def test_revisions_of_writers_that_race_are_one_line(open_store: OpenStore) -> None:
    stores = [await open_store() for _ in range(3)]
    await asyncio.gather(
        *(
            stores[n % 3].quality.rules.add_rule_versions([a_rule("x", code=f"r{n}")], by="lead", at=NOW)
            for n in range(5)
        )
    )
    versions = await stores[0].quality.rules.rule_versions()
    assert [one.revision for one in versions] == [1, 2, 3, 4, 5]
    assert {one.rule.code for one in versions} == {f"r{n}" for n in range(5)}


async def test_cards_come_back_whole_and_old_versions_stay(store: Store) -> None:
    choices = (Choice(code="full", share=1), Choice(code="part", title="Partly", share=0.25))
    card = a_card(
        Question(code="law", text="Lawful?", fatal=True, may_be_na=True, auto=AutoAnswer(rule="x")),
        Question(code="care", text="关心客户?", kind=QuestionKind.CHOICE, weight=2.5, choices=choices),
    )
    cards = store.quality.cards

    first = await cards.add_card_version(card, by="lead", at=NOW)
    second = await cards.add_card_version(replace(card, pass_mark=60.0), by="lead", at=later(1))

    assert (first.version, second.version) == (1, 2)
    assert await cards.card_versions() == [first, second]
    assert first.card == card
    with pytest.raises(NotFound, match="there is no campaign 77"):
        await cards.add_card_version(replace(card, campaigns=(77,)), by="lead", at=NOW)
