"""Why a contact who may be dialed as far as his list knows is not being dialed at this moment. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from cti.model.campaign_rules import Spill
from cti.model.contacts import Campaign, CampaignState
from cti.model.standing import NOBODY
from cti.model.verdicts import ALLOWED, SkipReason, Verdict
from cti.model.whys import Answer

MOST_BEFORE: Final = 1000
"""Nobody counts further: whoever stands behind so many waits for them, whatever his place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is seen of a campaign at one instant."""

    campaign: Campaign
    present: frozenset[int] = frozenset()
    """Agents of the campaign who are logged in."""
    free: frozenset[int] = frozenset()
    """Of these, who could take a call now."""


def pending_answer(
    sight: Sight, *, owner_id: int, verdict: Verdict = ALLOWED, before: int | None = None
) -> Answer:
    """Return why he is not dialed: the first of what stands in the way, the nearest to the campaign first.

    `before`: how many are dialed before him; None: not counted.
    """
    if sight.campaign.state is not CampaignState.RUNNING:
        return Answer(
            reason=SkipReason.CAMPAIGN_NOT_RUNNING,
            words=f"campaign {sight.campaign.name} is {sight.campaign.state.value}",
        )
    if not verdict.allowed:
        return refused(verdict)
    return _nobody_for_him(sight, owner_id) or _in_line(sight, before)


def refused(verdict: Verdict) -> Answer:
    """Return the gate's refusal as an answer."""
    reason = verdict.reason or SkipReason.STOPPED
    return Answer(reason=reason, words=verdict.detail or reason.replace("_", " "), until=verdict.until)


def _nobody_for_him(sight: Sight, owner_id: int) -> Answer | None:
    if not sight.present:
        return Answer(reason=SkipReason.NO_AGENT, words="no agent of the campaign is logged in")
    spill = sight.campaign.rules.ownership.spill
    anybody = owner_id == NOBODY or spill is Spill.ALWAYS
    if anybody or (owner_id not in sight.present and spill is Spill.WHEN_OWNER_AWAY):
        return None
    return _owner(sight.present, sight.free, owner_id)


def _owner(present: Collection[int], free: Collection[int], owner_id: int) -> Answer | None:
    if owner_id not in present:
        return Answer(reason=SkipReason.OWNER_AWAY, words=f"his owner (agent {owner_id}) is not logged in")
    if owner_id not in free:
        return Answer(
            reason=SkipReason.OWNER_BUSY, words=f"his owner (agent {owner_id}) is not free at this moment"
        )
    return None


def _in_line(sight: Sight, before: int | None) -> Answer:
    place = "in line" if before is None else _place(before)
    if not sight.free:
        return Answer(reason=SkipReason.NO_AGENT, words=f"no agent is free at this moment; {place}")
    return Answer(reason=SkipReason.IN_LINE, words=place)


def _place(before: int) -> str:
    if before == 0:
        return "next in line"
    if before >= MOST_BEFORE:
        return f"in line, more than {MOST_BEFORE} before him"
    return f"{ordinal(before + 1)} in line"


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `3rd`, `4th`, `11th`."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return str(number) + {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
