"""Which agents count for which campaign now. Pure.

An agent may work on several campaigns that dial at once. Were he counted by each of them, all would dial for him, and
whoever answers second would be dropped: so each agent counts for one campaign at a time.
"""

from collections.abc import Mapping, Sequence

from cti.model.agents import Agent
from cti.model.contacts import Campaign


def teams(agents: Sequence[Agent], campaigns: Sequence[Campaign]) -> Mapping[int, tuple[Agent, ...]]:
    """Share out the agents over the campaigns that dial, by campaign id: evenly, each agent to one of his own.

    Those with the fewest choices first. The same agents and campaigns give the same teams, so that nobody changes
    sides from one look to the next.
    """
    sides: dict[int, list[Agent]] = {campaign.id: [] for campaign in campaigns}
    nodes = {campaign.id: campaign.node for campaign in campaigns}
    choices = [
        (agent, [one for one in sorted(sides) if one in agent.campaign_ids and nodes[one] == agent.node])
        for agent in sorted(agents, key=lambda agent: agent.id)
    ]
    for agent, possible in sorted(choices, key=lambda choice: len(choice[1])):
        if possible:
            fewest = min(possible, key=lambda campaign_id: (len(sides[campaign_id]), campaign_id))
            sides[fewest].append(agent)
    return {campaign_id: tuple(side) for campaign_id, side in sides.items()}
