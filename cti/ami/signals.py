"""What can happen to our channels and phones, as values. How Asterisk says it is known to `reading` alone."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSignal:
    """Something about one channel of ours."""

    channel_id: str
    at: datetime
    """By Asterisk's clock where it says (`timestampevents = yes`), else when it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created(ChannelSignal):
    """Asterisk made the channel."""

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing(ChannelSignal):
    """180, or 183 with early media."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(ChannelSignal):
    """200 OK. Told up to three times."""

    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(ChannelSignal):
    """The dialplan has him: recording runs and he may be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraceOver(ChannelSignal):
    """The dialplan waited as long as it may, and nobody had fetched him."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlayed(ChannelSignal):
    """The dialplan played the recorded message to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected(ChannelSignal):
    """The dialplan listened, and says who answered."""

    by: str
    """`person`, `machine`, `fax`; `unknown` when it could not tell, and he is treated as a person."""
    detection: str | None = None
    """The detector's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailPlayed(ChannelSignal):
    """The dialplan played the voicemail message to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUpAsked(ChannelSignal):
    """Somebody wants this channel to end."""

    far_end: bool
    """True: the phone at the other end did. False: a program on Asterisk's side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp(ChannelSignal):
    """The channel ended."""

    cause: int | None = None
    cause_text: str | None = None
    sip_code: int | None = None
    """From `TechCause`, which Asterisk tells since about 22.7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginateFailed(ChannelSignal):
    """Our order did not end in an answer. A HungUp comes too, before or after, unless no channel was ever made."""

    reason: int | None
    """3: rang too long. All else is useless with PJSIP (0 for busy and unknown numbers alike)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeEntered(ChannelSignal):
    """A channel, perhaps not ours, came into a bridge where people talk."""

    channel: str
    bridge_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLeft(ChannelSignal):
    """A channel, perhaps not ours, went out of a bridge."""

    bridge_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridged(ChannelSignal):
    """A customer talks with somebody now. Made by `bridges`."""

    peer_id: str
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbridged(ChannelSignal):
    """A customer does not talk with that peer any more. Made by `bridges`."""

    peer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSeen:
    """One registration of a phone came, went, or changed."""

    endpoint: str
    uri: str
    reachable: bool
    at: datetime


Signal = ChannelSignal | ContactSeen
