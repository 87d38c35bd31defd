"""Sharing contacts out: fair, in turn, by weight, by skill, under caps."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.model.ownership import NotMoved, Ownable
from cti.ownership.assignment import Asked, Taker, advanced, plan, taker_of
from tests.builders import NOW, an_agent

A, B, C = (Taker(agent_id=n) for n in (1, 2, 3))


def contacts(count: int, first: int = 1, **given: object) -> list[Ownable]:
    return [Ownable(contact_id=n, **given) for n in range(first, first + count)]  # type: ignore[arg-type]


def test_in_turn_everybody_gets_one_after_the_other() -> None:
    made = plan(contacts(5), [A, B, C], turns={})
    assert list(made.given.values()) == [1, 2, 3, 1, 2]


def test_the_next_distribution_goes_on_where_the_last_one_stood() -> None:
    first = plan(contacts(2), [A, B, C], turns={})
    second = plan(contacts(2, first=3), [A, B, C], turns=first.turns)
    assert list(second.given.values()) == [3, 1]


def test_weights_are_kept_over_many_small_distributions() -> None:
    takers = [Taker(agent_id=1, weight=3.0), Taker(agent_id=2, weight=1.0)]
    turns: dict[int, float] = {}
    total: Counter[int] = Counter()
    for n in range(40):
        made = plan(contacts(1, first=n + 1), takers, turns=turns)
        given = Counter(made.given.values())
        turns = advanced(turns, {1: 3.0, 2: 1.0}, given)
        total += given
    assert total == {1: 30, 2: 10}


def test_a_newcomer_does_not_catch_up_on_what_went_by() -> None:
    turns = plan(contacts(100), [A, B], turns={}).turns
    made = plan(contacts(6, first=200), [A, B, C], turns=turns)
    assert Counter(made.given.values()) == {1: 2, 2: 2, 3: 2}


def test_who_was_full_does_not_catch_up_either() -> None:
    full = plan(contacts(101), [A, Taker(agent_id=2, room=1)], turns={})
    made = plan(contacts(4, first=200), [A, B], turns=full.turns)
    assert Counter(made.given.values()) == {1: 2, 2: 2}


def test_nobody_gets_more_than_he_has_room_for() -> None:
    made = plan(contacts(5), [Taker(agent_id=1, room=1), Taker(agent_id=2, room=2)], turns={})
    assert Counter(made.given.values()) == {1: 1, 2: 2}
    assert set(made.refused.values()) == {NotMoved.NOBODY}
    alone = plan(contacts(1), [Taker(agent_id=1, room=0)], turns={})
    assert alone.refused == {1: NotMoved.CAP}


def test_a_contact_goes_to_whoever_has_the_skill_he_asks_for() -> None:
    takers = [Taker(agent_id=1, skills=frozenset({"german"})), Taker(agent_id=2, skills=frozenset({"中文"}))]
    asked = Asked(attribute="field:language")
    people = [
        Ownable(contact_id=1, fields={"language": " 中文 "}),
        Ownable(contact_id=2, fields={"language": "German"}),
        Ownable(contact_id=3, fields={"language": "french"}),
        Ownable(contact_id=4),
    ]
    made = plan(people, takers, turns={}, asked=asked)
    assert (made.given, made.refused) == ({1: 2, 2: 1}, {3: NotMoved.NO_SKILL, 4: NotMoved.NO_SKILL})
    anybody = plan(people, takers, turns={}, asked=Asked(attribute="field:language", anybody_without=True))
    assert set(anybody.given) == {1, 2, 4}


@pytest.mark.parametrize(
    ("attribute", "contact"),
    [("zone", Ownable(contact_id=1, zone="Asia/Shanghai")), ("stage", Ownable(contact_id=1, stage="Warm"))],
)
def test_zone_and_stage_may_be_asked_for(attribute: str, contact: Ownable) -> None:
    knows = Taker(agent_id=2, skills=frozenset({"asia/shanghai", "warm"}))
    assert plan([contact], [A, knows], turns={}, asked=Asked(attribute=attribute)).given == {1: 2}


def test_a_contact_that_shares_a_number_follows_the_other_one() -> None:
    follows = plan([Ownable(contact_id=1, partners={9: 2})], [A, B], turns={})
    assert follows.given == {1: 2}
    conflict = plan([Ownable(contact_id=1, partners={9: 3})], [A, B], turns={})
    assert conflict.refused == {1: NotMoved.SHARED_NUMBER}
    pair = [Ownable(contact_id=1, partners={2: None}), Ownable(contact_id=2, partners={1: None})]
    assert plan(pair, [A, B], turns={}).given == {1: 1, 2: 1}


def test_who_gave_a_contact_back_does_not_get_him_in_a_distribution_but_by_hand() -> None:
    back = Ownable(contact_id=1, given_back_by=frozenset({1}))
    assert plan([back], [A, B], turns={}).given == {1: 2}
    assert plan([back], [A], turns={}).refused == {1: NotMoved.PROTECTED}
    assert plan([back], [A], turns={}, heed_protection=False).given == {1: 1}


def test_who_is_owned_or_stopped_stays() -> None:
    owned, stopped = Ownable(contact_id=1, owner_id=3), Ownable(contact_id=2, stopped=True)
    made = plan([owned, stopped], [A, B], turns={})
    assert made.refused == {1: NotMoved.OWNED, 2: NotMoved.STOPPED}
    assert plan([owned, stopped], [A, B], turns={}, take_over=True).given == {1: 1}


def test_sharing_anew_leaves_an_agent_his_share_of_his_own() -> None:
    his = contacts(4, owner_id=1)
    made = plan(his, [A, B], turns={}, take_over=True)
    assert made.given == {2: 2, 4: 2}
    assert made.refused == {1: NotMoved.OWNED, 3: NotMoved.OWNED}


def test_no_more_are_given_than_asked_for() -> None:
    made = plan(contacts(9), [A, B], turns={}, most=3)
    assert (len(made.given), made.looked_at) == (3, 3)


@pytest.mark.parametrize(
    ("agent", "by_weight", "takes"),
    [
        pytest.param(an_agent(weight=0.0), True, False, id="a weight of 0 gets nothing"),
        pytest.param(an_agent(weight=0.0), False, True, id="in turn weights do not count"),
        pytest.param(an_agent(left_at=NOW), False, False, id="who left gets nothing"),
    ],
)
def test_who_takes_part(agent: object, by_weight: bool, takes: bool) -> None:
    made = taker_of(agent, owned=0, cap=None, by_weight=by_weight)  # type: ignore[arg-type]
    assert (made is not None) is takes


@given(
    count=st.integers(0, 60),
    weights=st.lists(st.floats(0.1, 10), min_size=1, max_size=5),
    rooms=st.lists(st.none() | st.integers(0, 20), min_size=5, max_size=5),
)
def test_every_contact_is_given_once_or_refused_and_shares_follow_weights(
    count: int, weights: list[float], rooms: list[int | None]
) -> None:
    takers = [Taker(agent_id=n, weight=weight, room=rooms[n]) for n, weight in enumerate(weights)]
    made = plan(contacts(count), takers, turns={})
    again = plan(contacts(count), takers, turns={})

    assert made == again
    assert set(made.given) | set(made.refused) == set(range(1, count + 1))
    assert not set(made.given) & set(made.refused)
    given = Counter(made.given.values())
    for taker in takers:
        assert taker.room is None or given[taker.agent_id] <= taker.room
    if all(taker.room is None for taker in takers):
        total = sum(weights)
        for taker in takers:
            assert abs(given[taker.agent_id] - count * taker.weight / total) <= len(takers)
