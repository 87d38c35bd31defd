"""Which phones are registered, told when that changes. A phone may have several registrations; one is enough.

Newer registrations and removals of older ones come in either order, so each registration counts by its own address.
"""

from collections.abc import Iterable
from datetime import datetime

from cti.ami.signals import ContactSeen
from cti.model.events import PhoneMoved


class Phones:
    """The registrations of one node's endpoints."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._contacts: dict[str, dict[str, bool]] = {}
        self._told: dict[str, bool] = {}

    def apply(self, signal: ContactSeen) -> tuple[PhoneMoved, ...]:
        """Take note; return what changed for the endpoint as a whole."""
        contacts = self._contacts.setdefault(signal.endpoint, {})
        if signal.reachable:
            contacts[signal.uri] = True
        else:
            contacts.pop(signal.uri, None)
        return self._tell(signal.endpoint, signal.at)

    def reset(
        self, seen: Iterable[ContactSeen], expected: Iterable[str], at: datetime
    ) -> tuple[PhoneMoved, ...]:
        """Put what Asterisk shows now in place of what was known; endpoints expected and not shown are away."""
        self._contacts = {}
        for signal in seen:
            if signal.reachable:
                self._contacts.setdefault(signal.endpoint, {})[signal.uri] = True
        known = {*self._told, *self._contacts, *expected}
        return tuple(moved for endpoint in sorted(known) for moved in self._tell(endpoint, at))

    def _tell(self, endpoint: str, at: datetime) -> tuple[PhoneMoved, ...]:
        reachable = bool(self._contacts.get(endpoint))
        if self._told.get(endpoint) is reachable:
            return ()
        self._told[endpoint] = reachable
        return (PhoneMoved(node=self._node, endpoint=endpoint, reachable=reachable, at=at),)
