"""The trunks of all nodes now: lines in use, calls per second, breakers. No I/O; told of calls by `keeper`."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cti.lines.breaker import Breaker, noted, rested
from cti.lines.trunks import NO_LIMIT, TrunkNow, order_of
from cti.model.calls import Call, CallState, EndReason
from cti.model.contacts import Campaign
from cti.model.lines import BreakerState, Trunk, TrunkStanding, failed_technically
from cti.pacing.throttle import Throttle

log = logging.getLogger(__name__)

_CAME_BACK = frozenset({CallState.RINGING, CallState.ANSWERED, CallState.CONNECTED})


@dataclass(slots=True)
class _Use:
    """One trunk and what goes on by it."""

    trunk: Trunk
    breaker: Breaker
    throttle: Throttle | None
    calls: set[str] = field(default_factory=set)
    judged: set[str] = field(default_factory=set)
    probe: str | None = None


class TrunkBoard:
    """Trunks by node and endpoint; one that the settings do not name has no limits of its own."""

    def __init__(self, trunks: Iterable[Trunk]) -> None:
        self._uses = {(trunk.node, trunk.endpoint): _use(trunk) for trunk in trunks}

    def of(self, campaign: Campaign, now: datetime, monotonic: float) -> list[TrunkNow]:
        """Return the campaign's trunks in its order."""
        known = [use.trunk for use in self._uses.values()]
        return [
            _now(self._of(campaign.node, endpoint), now, monotonic) for endpoint in order_of(campaign, known)
        ]

    def take(self, call: Call, monotonic: float | None) -> None:
        """Count a line; with the time also against the calls per second."""
        use = self._of(call.node, call.trunk)
        use.calls.add(call.id)
        if use.breaker.state is BreakerState.HALF_OPEN and use.probe is None:
            use.probe = call.id
        if use.throttle is not None and monotonic is not None:
            use.throttle.allowed(monotonic)
            use.throttle.spend(1)

    def release(self, call: Call) -> None:
        """Its line is free again."""
        use = self._of(call.node, call.trunk)
        use.calls.discard(call.id)
        use.judged.discard(call.id)
        if use.probe == call.id:
            use.probe = None

    def judge(self, call: Call, at: datetime) -> None:
        """Learn from a call whether its trunk works, once."""
        use, worked = self._of(call.node, call.trunk), trunk_worked(call)
        if worked is None or call.id in use.judged:
            return
        if not call.ended:
            use.judged.add(call.id)
        before = use.breaker
        use.breaker = noted(before, worked=worked, at=at)
        if use.probe == call.id:
            use.probe = None
        if use.breaker.state is not before.state:
            _tell(use)

    def standing(self, now: datetime) -> list[TrunkStanding]:
        """Return all trunks as they are now, by node, priority and name."""
        found = []
        for use in self._uses.values():
            use.breaker = rested(use.breaker, now)
            found.append(
                TrunkStanding(
                    trunk=use.trunk,
                    in_use=len(use.calls),
                    breaker=use.breaker.state,
                    judged=len(use.breaker.results),
                    failed=use.breaker.failed,
                    opens_again_at=use.breaker.opens_again_at,
                )
            )
        return sorted(found, key=lambda one: (one.trunk.node, one.trunk.priority, one.trunk.endpoint))

    def _of(self, node: str, endpoint: str) -> _Use:
        key = node, endpoint
        if key not in self._uses:
            self._uses[key] = _use(Trunk(node=node, endpoint=endpoint))
        return self._uses[key]


def trunk_worked(call: Call) -> bool | None:
    """Whether a call shows that its trunk works or does not; None when it shows nothing."""
    if call.state in _CAME_BACK or call.ringing_at is not None or call.answered_at is not None:
        return True
    if failed_technically(call):
        return False
    # Ended without ringing: an answer of the network, unless we gave up or Asterisk died.
    answered = call.end_reason is EndReason.HUNG_UP and (call.sip_code is not None or bool(call.cause))
    return True if answered else None


def _use(trunk: Trunk) -> _Use:
    rate = trunk.calls_per_second
    return _Use(
        trunk=trunk,
        breaker=Breaker(share=trunk.failure_share, rest=timedelta(seconds=trunk.rest_seconds)),
        throttle=Throttle(rate) if rate is not None else None,
    )


def _now(use: _Use, now: datetime, monotonic: float) -> TrunkNow:
    use.breaker = rested(use.breaker, now)
    return TrunkNow(
        trunk=use.trunk,
        in_use=len(use.calls),
        breaker=use.breaker.state,
        per_second_left=NO_LIMIT if use.throttle is None else max(0, use.throttle.allowed(monotonic)),
        probing=use.probe is not None,
    )


def _tell(use: _Use) -> None:
    breaker = use.breaker
    where = f"trunk {use.trunk.endpoint} of {use.trunk.node}"
    if breaker.state is BreakerState.OPEN:
        told = "%s: %d of the last %d calls failed technically; nothing leaves by it until %s"
        log.error(told, where, breaker.failed, len(breaker.results), breaker.opens_again_at)
    else:
        log.warning("%s works again", where)
