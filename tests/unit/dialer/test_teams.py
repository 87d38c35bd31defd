"""Each agent counts for one campaign at a time."""

from hypothesis import given
from hypothesis import strategies as st

from cti.dialer.teams import teams
from tests.builders import a_campaign, an_agent


def test_agents_of_two_campaigns_are_shared_out_evenly() -> None:
    agents = [an_agent(id=n, login=f"a{n}", campaign_ids=(1, 2)) for n in range(1, 7)]
    sides = teams(agents, [a_campaign(id=1), a_campaign(id=2, name="winter")])
    assert [len(sides[1]), len(sides[2])] == [3, 3]


def test_who_works_on_one_campaign_alone_leaves_the_others_to_the_other() -> None:
    agents = [
        an_agent(id=1, campaign_ids=(1, 2)),
        an_agent(id=2, login="bob", campaign_ids=(1,)),
    ]
    sides = teams(agents, [a_campaign(id=1), a_campaign(id=2, name="winter")])
    assert [agent.id for agent in sides[1]] == [2]
    assert [agent.id for agent in sides[2]] == [1]


def test_an_agent_on_another_node_counts_for_nobody() -> None:
    assert teams([an_agent(node="far")], [a_campaign()])[1] == ()


@given(
    memberships=st.lists(st.sets(st.integers(1, 4)), max_size=30),
    dialing=st.sets(st.integers(1, 4)),
)
def test_nobody_is_counted_twice_and_nobody_who_could_is_left_out(
    memberships: list[set[int]], dialing: set[int]
) -> None:
    agents = [
        an_agent(id=n, login=f"a{n}", campaign_ids=tuple(sorted(ids))) for n, ids in enumerate(memberships, 1)
    ]
    sides = teams(agents, [a_campaign(id=one, name=str(one)) for one in sorted(dialing)])
    counted = [agent.id for side in sides.values() for agent in side]
    assert sorted(counted) == [agent.id for agent in agents if dialing & set(agent.campaign_ids)]
    assert all(campaign_id in agent.campaign_ids for campaign_id, side in sides.items() for agent in side)
