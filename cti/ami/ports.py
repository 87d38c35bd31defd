"""What this package needs from outside: a connection to one Asterisk, and what that Asterisk wrote down itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cti.ami.actions import Action
from cti.ami.message import Message
from cti.model.stories import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """Logged in to an Asterisk that is fully booted. Every message after this is of this connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The connection is gone, or could not be made. Told once for each new reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """So many messages did not fit and were thrown away here: ask Asterisk what is up."""

    missed: int


Happening = Message | Connected | Lost | Gap


class AmiClient(Protocol):
    """One connection to one Asterisk, made again whenever it breaks. Nothing is ever kept to be sent later."""

    @property
    def node(self) -> str:
        """The node's name in our settings."""
        ...

    @property
    def connected(self) -> bool:
        """Whether an action would leave now."""
        ...

    async def send(self, action: Action) -> Message:
        """Send and return Asterisk's first answer.

        Raises NodeDown (not connected, nothing was sent), NodeSilent (sent, or perhaps sent, and no answer came),
        NodeRefused (`Response: Error`; its text is Asterisk's), BadInput (not sent).
        """
        ...

    async def send_all(self, *actions: Action) -> list[Message]:
        """Send all at once, in this order, and return the answers, refused ones too. Raises like `send`."""
        ...

    async def collect(self, action: Action) -> list[Message]:
        """Send an action answered by a list; return its rows without the closing one. Raises like `send`."""
        ...

    async def next(self) -> Happening:
        """Return what comes next, in order of arrival, waiting for it. For one reader."""
        ...

    def pending(self) -> int:
        """Count what `next` would return without waiting."""
        ...


class StoryOf(Protocol):
    """A node's own records (CEL)."""

    async def of_channel(self, node: str, channel_id: str) -> Story | None:
        """Return one channel's story, None when there is none or the records are not reachable."""
        ...


class NodeMemory(Protocol):
    """Since when a node was up when it was last seen; survives the daemon."""

    async def node_seen(self, node: str, started: str, at: datetime) -> None:
        """Note that the node was up at `at`, started when its own text `started` says."""
        ...

    async def node_started(self, node: str) -> str | None:
        """Return the start-up text of its last sight, None when it was never seen."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFacts:
    """One channel as Asterisk shows it now (`CoreShowChannels`)."""

    channel_id: str
    channel: str
    up: bool
    """Answered."""
    ringing: bool
    bridge_id: str | None
    at: datetime
    """When it was asked."""
    waiting: bool = False
    """The dialplan lets it wait (`Wait`): a customer in the grace."""
