"""What calls say of contacts, caps, protection, and returns by rule."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cti.model.calls import Outcome
from cti.model.campaign_rules import CampaignRules, OwnershipRules
from cti.model.ownership import MoveKind, NotMoved, Terms, Untouched, Wish
from cti.ownership.effort import Effort, effort
from cti.ownership.judging import Held, Takers, is_due, judged
from cti.ownership.limits import campaigns_of, caps_of, expiries, limits_of, protected_since
from cti.ownership.words import SENTENCES
from tests.builders import NOW, a_call, a_campaign, an_agent, later


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"outcome": Outcome.CONNECTED}, Effort.TALK),
        ({"outcome": Outcome.NO_ANSWER}, Effort.FAILURE),
        ({"outcome": Outcome.MACHINE}, Effort.FAILURE),
        ({"outcome": Outcome.DROPPED}, None),
        ({"outcome": Outcome.LOST}, None),
        ({"outcome": Outcome.FAILED, "cause": 38}, None),
        ({"outcome": Outcome.FAILED, "cause": 1}, Effort.FAILURE),
        ({}, None),
    ],
)
def test_what_a_call_says_of_the_work_on_a_contact(facts: dict[str, object], expected: Effort | None) -> None:
    assert effort(a_call(**facts)) is expected


def campaign(campaign_id: int, **rules: object) -> object:
    return a_campaign(id=campaign_id, rules=CampaignRules(ownership=OwnershipRules(**rules)))  # type: ignore[arg-type]


def test_the_strictest_cap_and_the_longest_protection_hold() -> None:
    known = {
        1: campaign(1, max_owned=50, protect_days=3),
        2: campaign(2, max_owned=20),
        3: campaign(3, max_owned=5),
    }
    anna = an_agent(campaign_ids=(1, 2), max_owned=30)
    mine = campaigns_of(anna, known)  # type: ignore[arg-type]
    limits = limits_of(anna, mine)
    assert (limits.cap, limits.protect_days) == (20, 3)
    assert caps_of([anna, an_agent(id=2, campaign_ids=())], known, named=3) == {1: 5, 2: 5}  # type: ignore[arg-type]
    assert caps_of([an_agent(id=2, campaign_ids=())], known) == {}  # type: ignore[arg-type]
    assert protected_since(mine, NOW) == NOW - timedelta(days=3)
    assert protected_since([], NOW) is None


def test_a_campaign_without_such_rules_returns_nobody() -> None:
    assert expiries(campaign(1), NOW) == []  # type: ignore[arg-type]
    both = expiries(campaign(1, return_after_days=2, return_after_failures=4), NOW)  # type: ignore[arg-type]
    assert [rule for rule, _ in both] == [
        Untouched(no_talk_since=NOW - timedelta(days=2)),
        Untouched(failures=4),
    ]
    assert both[1][1] == "4 failed attempts in a row (autumn)"


@pytest.mark.parametrize(
    ("held", "due"),
    [
        pytest.param(Held(owner=1, owner_since=NOW), True, id="claimed long ago, never talked with"),
        pytest.param(Held(owner=1, owner_since=later(60)), False, id="claimed just now"),
        pytest.param(Held(owner=1, owner_since=NOW, last_talk_at=later(60)), False, id="talked with lately"),
        pytest.param(
            Held(owner=1, owner_since=later(60), last_talk_at=NOW), False, id="talked with by the one before"
        ),
        pytest.param(Held(owner=1), False, id="nobody knows since when"),
    ],
)
def test_days_count_from_the_conversation_or_the_claim_whichever_is_later(held: Held, due: bool) -> None:
    assert is_due(held, Untouched(no_talk_since=later(30))) is due


def test_who_is_being_called_does_not_go_back_meanwhile() -> None:
    terms = Terms(kind=MoveKind.EXPIRED, by="rule", at=later(90), untouched=Untouched(failures=1))
    held = {1: Held(owner=1, failures=3, dialing=True)}
    wish = Wish(contact_id=1, before=1, after=None)
    assert judged([wish], terms=terms, held=held, takers=Takers()).refused == {1: NotMoved.DIALING}
    calm = {1: replace(held[1], dialing=False)}
    assert len(judged([wish], terms=terms, held=calm, takers=Takers()).moves) == 1


def test_what_somebody_who_left_still_holds_does_not_stop_a_move() -> None:
    held = {1: Held(owner=7, partners=(2,)), 2: Held(owner=7, partners=(1,))}
    wish = Wish(contact_id=1, before=7, after=1)
    terms = Terms(kind=MoveKind.LEFT, by="lead", at=NOW)
    stays = judged([wish], terms=terms, held=held, takers=Takers(here={1, 7}))
    goes = judged([wish], terms=terms, held=held, takers=Takers(here={1}, gone={7}))
    assert (stays.refused, len(goes.moves)) == ({1: NotMoved.SHARED_NUMBER}, 1)


def test_a_contact_that_another_one_locks_is_left_alone_with_all_who_share_his_number() -> None:
    terms = Terms(kind=MoveKind.CLAIMED, by="anna", at=NOW)
    wishes = [Wish(contact_id=n, before=None, after=1) for n in (1, 2)]
    held = {1: Held(partners=(9,))}
    found = judged(wishes, terms=terms, held=held, takers=Takers(here={1}), missing={2, 9})
    assert found.refused == {1: NotMoved.SHARED_NUMBER, 2: NotMoved.OWNED}


def test_every_reason_has_its_sentence() -> None:
    assert set(SENTENCES) == set(NotMoved)
