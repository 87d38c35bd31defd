"""Who is in which bridge, so that two sides entering become one customer talking with one peer. No I/O."""

from cti.ami.signals import Bridged, BridgeEntered, BridgeLeft, Unbridged
from cti.model.ids import CALL_PREFIX, LEG_PREFIX


class Bridges:
    """The members of each bridge where people talk, by channel id."""

    def __init__(self) -> None:
        self._members: dict[str, dict[str, str]] = {}
        self._where: dict[str, str] = {}

    def enter(self, signal: BridgeEntered) -> tuple[Bridged, ...]:
        """Take note, and return the customers who talk with somebody from now on."""
        self._remove(signal.channel_id)
        members = self._members.setdefault(signal.bridge_id, {})
        members[signal.channel_id] = signal.channel
        self._where[signal.channel_id] = signal.bridge_id
        if len(members) < 2:
            return ()
        if _is_customer(signal.channel_id):
            return (_bridged(signal.channel_id, _peer(members, signal.channel_id), members, signal),)
        customers = [member for member in members if _is_customer(member)]
        if len(customers) < len(members) - 1:
            # Somebody talks with them already: a third one who joins takes nobody's place.
            return ()
        return tuple(_bridged(customer, signal.channel_id, members, signal) for customer in customers)

    def leave(self, signal: BridgeLeft) -> tuple[Unbridged, ...]:
        """Take note, and return the customers who do not talk with that peer any more."""
        if self._where.get(signal.channel_id) != signal.bridge_id:
            return ()
        rest = self._remove(signal.channel_id)
        if _is_customer(signal.channel_id):
            return tuple(Unbridged(channel_id=signal.channel_id, peer_id=peer, at=signal.at) for peer in rest)
        customers = [member for member in rest if _is_customer(member)]
        return tuple(
            Unbridged(channel_id=each, peer_id=signal.channel_id, at=signal.at) for each in customers
        )

    def forget(self, channel_id: str) -> None:
        """The channel ended."""
        self._remove(channel_id)

    def found(self, channel_id: str, channel: str, bridge_id: str) -> None:
        """Asterisk shows the channel in this bridge; what was heard of it since counts more."""
        if channel_id not in self._where:
            self._members.setdefault(bridge_id, {})[channel_id] = channel
            self._where[channel_id] = bridge_id

    def clear(self) -> None:
        """What was known is not to be trusted any more: messages were missed."""
        self._members.clear()
        self._where.clear()

    def _remove(self, channel_id: str) -> dict[str, str]:
        bridge_id = self._where.pop(channel_id, None)
        if bridge_id is None:
            return {}
        members = self._members[bridge_id]
        del members[channel_id]
        if not members:
            del self._members[bridge_id]
        return members


def _is_customer(channel_id: str) -> bool:
    return channel_id.startswith(CALL_PREFIX)


def _peer(members: dict[str, str], customer: str) -> str:
    """An agent's leg before anybody else's."""
    others = [member for member in members if member != customer]
    return next((other for other in others if other.startswith(LEG_PREFIX)), others[0])


def _bridged(customer: str, peer: str, members: dict[str, str], signal: BridgeEntered) -> Bridged:
    return Bridged(channel_id=customer, peer_id=peer, peer=members[peer], at=signal.at)
