"""One call for each free agent."""

from cti.pacing.floor import Decision, Floor
from cti.pacing.signals import Signal


def progressive(floor: Floor) -> Decision:
    """Offer one call for each free agent who has no answered call coming."""
    free = max(0, floor.idle_agents - floor.waiting)
    calls = max(0, min(free, floor.free_lines))
    if floor.contacts_left is not None:
        calls = min(calls, floor.contacts_left)
    if calls:
        return Decision(calls=calls, why=f"{floor.idle_agents} free, {floor.waiting} waiting")
    if not free:
        return Decision(calls=0, why="no free agent")
    return Decision(calls=0, why="no free line" if floor.free_lines <= 0 else "no contact left")


class Progressive:
    """A `Pacer` that learns nothing."""

    def learn(self, signal: Signal) -> None:
        """See `Pacer`; nothing matters here."""

    def decide(self, floor: Floor) -> Decision:
        """See `Pacer`."""
        return progressive(floor)
