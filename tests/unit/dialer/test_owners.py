"""For whom owned contacts may be dialed, and who is left for the others."""

import pytest

from cti.dialer.owners import OwnedTargets, groups, owned_targets
from cti.model.agents import AgentState
from cti.model.campaign_rules import CampaignRules, OwnershipRules, Spill
from tests.builders import NOW, a_campaign, an_agent, later

LONG_FREE = an_agent(id=1)
FREE = an_agent(id=2, since=later(5))
BUSY = an_agent(id=3, state=AgentState.ON_CALL)
PAUSED = an_agent(id=4, state=AgentState.PAUSED)
LOGGED_OUT = an_agent(id=5, state=AgentState.LOGGED_OUT, channel=None)
ELSEWHERE = an_agent(id=6, campaign_ids=(7,))
OTHER_NODE = an_agent(id=7, node="elsewhere")
LEFT = an_agent(id=8, state=AgentState.LOGGED_OUT, channel=None, left_at=NOW)
EVERYBODY = [FREE, LONG_FREE, BUSY, PAUSED, LOGGED_OUT, ELSEWHERE, OTHER_NODE, LEFT]


@pytest.mark.parametrize(
    ("spill", "expected"),
    [
        pytest.param(
            Spill.NEVER, OwnedTargets(singly=(1, 2)), id="never: free owners, the longest free first"
        ),
        pytest.param(
            Spill.WHEN_OWNER_AWAY,
            OwnedTargets(singly=(1, 2), with_team=frozenset({5, 6, 7, 8})),
            id="away: also those whose owner is not there",
        ),
        pytest.param(
            Spill.AFTER_GRACE,
            OwnedTargets(singly=(1, 2)),
            id="after grace: only at free owners, to begin with",
        ),
        pytest.param(
            Spill.ALWAYS,
            OwnedTargets(with_team=frozenset(range(1, 9))),
            id="always: everybody's, for the team",
        ),
    ],
)
def test_owned_contacts_are_dialed_only_for_whoever_may_take_them(
    spill: Spill, expected: OwnedTargets
) -> None:
    campaign = a_campaign(rules=CampaignRules(ownership=OwnershipRules(spill=spill)))
    assert owned_targets(campaign, EVERYBODY) == expected


def test_who_has_a_contact_of_his_own_is_not_of_the_team_for_now() -> None:
    parted = groups([FREE, LONG_FREE], owners={2, 3})
    assert (parted.singles, parted.team) == ((FREE,), (LONG_FREE,))
