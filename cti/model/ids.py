"""Names that we choose: of calls and of the channels that carry them.

We hand Asterisk the channel's id (AMI `Originate`, header `ChannelId`), so every event is ours or not by one
look-up, and what is up after a crash can be matched with what the database says.
"""

import re
import secrets
from datetime import UTC, datetime
from typing import Final

CALL_PREFIX: Final = "waihu-c-"
"""Channel ids of customers' legs: this and the call's id."""
LEG_PREFIX: Final = "waihu-a-"
"""Channel ids of agents' kept legs: this, the agent's number, a dash, a random part."""

_LEG = re.compile(r"^waihu-a-(?P<agent>\d+)-[0-9a-f]+$")


def new_call_id(now: datetime) -> str:
    """Return 32 hex digits: 12 of milliseconds since 1970, 20 random. They sort by time of making."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def made_at(call_id: str) -> datetime:
    """Return when a call's id was made, in UTC, to the millisecond."""
    return datetime.fromtimestamp(int(call_id[:12], 16) / 1000, UTC)


def call_channel(call_id: str) -> str:
    """Return the channel id of a call's customer leg."""
    return CALL_PREFIX + call_id


def call_of_channel(channel_id: str) -> str | None:
    """Return the id of the call whose customer leg this is, or None when the channel is not one."""
    return channel_id.removeprefix(CALL_PREFIX) if channel_id.startswith(CALL_PREFIX) else None


def new_leg_channel(agent_id: int) -> str:
    """Return a fresh channel id for an agent's kept leg."""
    return f"{LEG_PREFIX}{agent_id}-{secrets.token_hex(6)}"


def agent_of_channel(channel_id: str) -> int | None:
    """Return the number of the agent whose kept leg this is, or None when the channel is not one."""
    found = _LEG.match(channel_id)
    return int(found["agent"]) if found else None
