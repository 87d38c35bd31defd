"""In which order a campaign's trunks are tried, and which of them takes a call. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cti.model.contacts import Campaign
from cti.model.lines import NODE_TRUNKS, BreakerState, Trunk

NO_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkNow:
    """What of a trunk decides now."""

    trunk: Trunk
    in_use: int
    breaker: BreakerState
    per_second_left: int = NO_LIMIT
    """How many more calls its rate allows at once."""
    probing: bool = False
    """A call is under way that will show whether it works again."""

    @property
    def free(self) -> int:
        """Count the calls that may leave by it now."""
        if self.breaker is BreakerState.OPEN:
            return 0
        if self.breaker is BreakerState.HALF_OPEN:
            return 0 if self.probing else min(1, self.per_second_left)
        channels = NO_LIMIT if self.trunk.channels is None else self.trunk.channels - self.in_use
        return max(0, min(channels, self.per_second_left))

    @property
    def why_not(self) -> str:
        """Say why nothing may leave by it, for people."""
        if self.breaker is not BreakerState.CLOSED:
            return f"{self.trunk.endpoint}: its breaker is {self.breaker.replace('_', ' ')}"
        if self.trunk.channels is not None and self.in_use >= self.trunk.channels:
            return f"{self.trunk.endpoint}: {self.in_use} of {self.trunk.channels} channels are in use"
        return f"{self.trunk.endpoint}: {self.trunk.calls_per_second:g} calls per second are reached"


def order_of(campaign: Campaign, known: Iterable[Trunk]) -> tuple[str, ...]:
    """Return the endpoints by which the campaign's calls may leave, the preferred first; each once."""
    wanted = campaign.rules.lines.trunks or (campaign.trunk,)
    by_priority = sorted(
        (trunk for trunk in known if trunk.node == campaign.node),
        key=lambda trunk: (trunk.priority, trunk.endpoint),
    )
    rest = [trunk.endpoint for trunk in by_priority if trunk.endpoint not in wanted]
    expanded = [name for each in wanted for name in (rest if each == NODE_TRUNKS else (each,))]
    return tuple(dict.fromkeys(expanded))


def choose_trunk(
    trunks: Sequence[TrunkNow], *, failed: str | None = None
) -> tuple[TrunkNow, str | None] | None:
    """Return the first trunk that is free, and the one that could take the call when it fails; None: none is free.

    `failed`: by this one the contact was tried just now. It is left out, and there is no third try.
    """
    ordered = [now for now in trunks if now.trunk.endpoint != failed]
    at = next((place for place, now in enumerate(ordered) if now.free > 0), None)
    if at is None:
        return None
    after = (*ordered[at + 1 :], *ordered[:at])
    others = [now for now in after if now.breaker is BreakerState.CLOSED]
    return ordered[at], others[0].trunk.endpoint if others and failed is None else None
