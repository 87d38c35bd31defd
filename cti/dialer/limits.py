"""How many more calls a campaign may have now: its own lines, its trunks, its node, calls per second."""

from collections.abc import Callable

from cti.clock import Clock
from cti.dialer.campaign_desk import CampaignDesk
from cti.dialer.floor_board import FloorBoard
from cti.lines.keeper import LineKeeper
from cti.model.contacts import Campaign
from cti.pacing.throttle import Throttle


class CallLimits:
    """The limits of all campaigns, and what of their calls per second is used."""

    def __init__(
        self,
        *,
        campaigns: CampaignDesk,
        board: FloorBoard,
        keeper: LineKeeper,
        clock: Clock,
        calls_per_second: Callable[[str], float] = lambda node: 20.0,
        node_lines: Callable[[str], int] = lambda node: 100,
    ) -> None:
        """`calls_per_second`: Originates a node takes; `node_lines`: customer calls that it takes at one time."""
        self._campaigns = campaigns
        self._board = board
        self._keeper = keeper
        self._clock = clock
        self._calls_per_second = calls_per_second
        self._node_lines = node_lines
        self._throttles: dict[str | int, Throttle] = {}
        """By the name of a node, or the id of a campaign whose rules have a limit of their own."""

    def free(self, campaign: Campaign, *, agents: int) -> int:
        """Return how many more calls all limits allow now; `agents`: those who count for the campaign."""
        used = self._board.used(campaign.id)
        beside = [other for other in self._campaigns.all() if other.node == campaign.node]
        limits = [
            campaign.max_lines - used,
            self._keeper.free(campaign, self._clock.now()),
            self._node_lines(campaign.node) - self._board.used_by(beside),
            *(throttle.allowed(self._clock.monotonic()) for throttle in self._throttles_of(campaign)),
        ]
        if campaign.rules.pacing.max_lines_per_agent is not None:
            limits.append(int(campaign.rules.pacing.max_lines_per_agent * agents) - used)
        return max(0, min(limits))

    def spend(self, campaign: Campaign, calls: int) -> None:
        """Take calls that are about to leave off those of this second."""
        for throttle in self._throttles_of(campaign):
            throttle.spend(calls)

    def _throttles_of(self, campaign: Campaign) -> list[Throttle]:
        """Return what limits the campaign's calls per second: its node, and itself where its rules say so."""
        found = [self._throttles.setdefault(campaign.node, Throttle(self._calls_per_second(campaign.node)))]
        own = campaign.rules.pacing.calls_per_second
        if own is not None:
            known = self._throttles.get(campaign.id)
            if known is None or known.per_second != own:
                known = self._throttles[campaign.id] = Throttle(own)
            found.append(known)
        return found
