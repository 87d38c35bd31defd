"""What the API needs of calls: those that are up, and those that agents place."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cti.model.calls import Call
from cti.model.offers import Offer


class CallDesk(Protocol):
    """Calls as they are now."""

    def open_calls(self) -> Sequence[Call]:
        """List the calls that have not ended, oldest first."""
        ...

    async def set_disposition(
        self, call_id: str, *, agent_id: int | None, disposition: str, note: str, at: datetime
    ) -> None:
        """Store an agent's verdict and tell it on the bus. Raises NotFound."""
        ...


class Previews(Protocol):
    """Contacts that agents look at before they are dialed."""

    def offer_of(self, login: str) -> Offer | None:
        """Return what the agent looks at. Raises NotFound."""
        ...

    async def dial(self, login: str) -> Call:
        """Call him. Raises Conflict: there is none, or a rule forbids it now."""
        ...

    async def skip(self, login: str, reason: str) -> None:
        """Call him not now. Raises Conflict: there is none, or the campaign allows no skips."""
        ...


class ByHand(Protocol):
    """Click to call."""

    async def call(
        self, login: str, *, campaign_id: int, contact_id: int, crm_ref: str | None = None
    ) -> Call:
        """Call a contact for the agent, from this record of the CRM.

        Raises NotFound, NodeDown, Conflict (the message says what forbids it).
        """
        ...
