"""How many contacts an agent may own, and when one may come back to him. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cti.model.agents import Agent
from cti.model.contacts import Campaign
from cti.model.ownership import Untouched


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What holds for one agent."""

    cap: int | None
    """None: as many as he likes."""
    protect_days: float


def limits_of(agent: Agent, campaigns: Iterable[Campaign]) -> Limits:
    """Return the strictest of the agent's own cap and the rules of the campaigns: those he works on, and one named.

    Owning is for all campaigns together, so a cap cannot be dodged by claiming through another one.
    """
    rules = [campaign.rules.ownership for campaign in campaigns]
    caps = [cap for cap in (agent.max_owned, *(rule.max_owned for rule in rules)) if cap is not None]
    return Limits(
        cap=min(caps, default=None), protect_days=max((rule.protect_days for rule in rules), default=0.0)
    )


def campaigns_of(
    agent: Agent, campaigns: Mapping[int, Campaign], *, named: int | None = None
) -> list[Campaign]:
    """Return the campaigns whose rules hold for an agent: those he works on, and the one that is named."""
    wanted = {*agent.campaign_ids, *({named} if named is not None else ())}
    return [campaigns[campaign_id] for campaign_id in sorted(wanted) if campaign_id in campaigns]


def caps_of(
    agents: Iterable[Agent], campaigns: Mapping[int, Campaign], *, named: int | None = None
) -> dict[int, int]:
    """Return the caps by agent; who is not in it has none."""
    limits = {agent.id: limits_of(agent, campaigns_of(agent, campaigns, named=named)) for agent in agents}
    return {agent_id: one.cap for agent_id, one in limits.items() if one.cap is not None}


def protected_since(campaigns: Sequence[Campaign], now: datetime) -> datetime | None:
    """Return after which moment who gave a contact back does not get him again; None: nothing protects."""
    days = max((campaign.rules.ownership.protect_days for campaign in campaigns), default=0.0)
    return now - timedelta(days=days) if days > 0 else None


def expiries(campaign: Campaign, now: datetime) -> list[tuple[Untouched, str]]:
    """Return by which rules contacts of the campaign go back by themselves, each with its reason for people."""
    rules = campaign.rules.ownership
    found = []
    if rules.return_after_days is not None:
        before = now - timedelta(days=rules.return_after_days)
        reason = f"{rules.return_after_days:g} days without a conversation ({campaign.name})"
        found.append((Untouched(no_talk_since=before), reason))
    if rules.return_after_failures is not None:
        reason = f"{rules.return_after_failures} failed attempts in a row ({campaign.name})"
        found.append((Untouched(failures=rules.return_after_failures), reason))
    return found
