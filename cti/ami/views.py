"""Asks a node what is up on it now: its channels, its phones, its version, since when it runs. Changes nothing."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cti.ami.message import Message
from cti.ami.ports import AmiClient, ChannelFacts
from cti.ami.reading import OURS, endpoint_contact
from cti.ami.signals import ContactSeen
from cti.clock import Clock
from cti.errors import NodeRefused

log = logging.getLogger(__name__)

_UP = "6"
_RINGING = "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A node at one moment."""

    at: datetime
    version: str
    started: str
    """When it was started, in its own words, to the second; another text means another start."""
    channels: Mapping[str, ChannelFacts]
    """All that are in a bridge and all of ours, by channel id."""
    contacts: tuple[ContactSeen, ...] | None
    """None when the node did not say."""


async def look(client: AmiClient, clock: Clock) -> View:
    """Ask all of it. Raises NodeError."""
    settings, status = await client.send_all({"Action": "CoreSettings"}, {"Action": "CoreStatus"})
    contacts = await _contacts(client, clock)
    return View(
        at=clock.now(),
        version=settings.text("AsteriskVersion"),
        started=f"{status.text('CoreStartupDate')} {status.text('CoreStartupTime')}".strip(),
        channels=await channels_up(client, clock),
        contacts=contacts,
    )


async def channels_up(client: AmiClient, clock: Clock) -> dict[str, ChannelFacts]:
    """Ask which channels there are. Raises NodeError."""
    rows = await client.collect({"Action": "CoreShowChannels"})
    now = clock.now()
    facts = [_facts(row, now) for row in rows if row.text("Event") == "CoreShowChannel"]
    return {each.channel_id: each for each in facts if each.bridge_id or each.channel_id.startswith(OURS)}


def peer_of(channel_id: str, channels: Mapping[str, ChannelFacts]) -> str | None:
    """Return the channel that talks with this one, an agent's leg before others; None when it is alone."""
    bridge_id = channels[channel_id].bridge_id
    if bridge_id is None:
        return None
    others = [i for i, facts in channels.items() if facts.bridge_id == bridge_id and i != channel_id]
    return next((i for i in others if i.startswith(OURS)), others[0] if others else None)


def _facts(row: Message, now: datetime) -> ChannelFacts:
    return ChannelFacts(
        channel_id=row.text("Uniqueid"),
        channel=row.text("Channel"),
        up=row.text("ChannelState") == _UP,
        ringing=row.text("ChannelState") == _RINGING,
        bridge_id=row.text("BridgeId") or None,
        at=now,
        waiting=row.text("Application") == "Wait",
    )


async def _contacts(client: AmiClient, clock: Clock) -> tuple[ContactSeen, ...] | None:
    """Asterisk answers with an error when there is not one contact."""
    try:
        rows = await client.collect({"Action": "PJSIPShowContacts"})
    except NodeRefused as refused:
        if "no contacts found" in str(refused).lower():
            return ()
        log.warning("phones of %s are not known until they register again: %s", client.node, refused)
        return None
    now = clock.now()
    seen = [endpoint_contact(row, now) for row in rows if row.text("Event") == "ContactList"]
    return tuple(contact for contact in seen if contact is not None)
