"""For whom contacts that belong to somebody may be dialed now, and who is left for those of nobody. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cti.dialer.agent_states import may_take_calls
from cti.dialer.matching import is_away
from cti.model.agents import Agent
from cti.model.campaign_rules import Spill
from cti.model.contacts import Campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedTargets:
    """Whose contacts may be dialed now, by the ids of the owners."""

    singly: tuple[int, ...] = ()
    """Agents who are free, the longest free first: one call for each, at one of his own contacts, kept for him."""
    with_team: frozenset[int] = frozenset()
    """Owners whose contacts are dialed like nobody's: anybody of the team takes them."""


def owned_targets(campaign: Campaign, agents: Iterable[Agent]) -> OwnedTargets:
    """Return the owners that may be dialed for now. `agents` are all there are, also those who left.

    Contacts of an owner who is in neither wait: he talks, pauses, or (unless the rule lets them spill) is not there.
    Where ownership is told and not kept (`Spill.ALWAYS`) nobody is dialed for singly.
    """
    known, rule = list(agents), campaign.rules.ownership.spill
    if rule is Spill.ALWAYS:
        return OwnedTargets(with_team=frozenset(agent.id for agent in known))
    away = {agent.id for agent in known if is_away(agent, campaign.id, campaign.node)}
    free = [agent for agent in known if may_take_calls(agent) and agent.id not in away]
    return OwnedTargets(
        singly=tuple(agent.id for agent in longest_free(free)),
        with_team=frozenset(away) if rule is Spill.WHEN_OWNER_AWAY else frozenset(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The free agents of a campaign, parted by what is dialed for them. Nobody is in both."""

    singles: tuple[Agent, ...]
    """Each is called one of his own contacts, and kept for that call."""
    team: tuple[Agent, ...]
    """Calls at nobody's contacts (and at those that spill) are paced over these together."""


def groups(free: Iterable[Agent], owners: Collection[int]) -> Groups:
    """Part the free agents: `owners` are the ids of those who have a contact of their own that is due now.

    Whoever has one is dialed for alone, since a call of the team that answers first would make his own contact wait
    or be dropped.
    """
    ordered = longest_free(free)
    return Groups(
        singles=tuple(agent for agent in ordered if agent.id in owners),
        team=tuple(agent for agent in ordered if agent.id not in owners),
    )


def longest_free(agents: Iterable[Agent]) -> list[Agent]:
    """Return them in the order in which they are offered calls."""
    return sorted(agents, key=lambda agent: (agent.since is not None, agent.since, agent.id))
