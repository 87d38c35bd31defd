"""Agents' kept legs on one node: which are up, told when one comes or goes. No I/O."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cti.ami.outcomes import MEDIA_TIMEOUT
from cti.ami.signals import Answered, ChannelSignal, Created, HangUpAsked, HungUp, OriginateFailed
from cti.model.events import LegGone, LegUp

_REMEMBERED: Final = 500
"""Legs that ended, kept so that a late second word of their end is not told again."""


@dataclass(slots=True)
class _Leg:
    channel: str = ""
    up: bool = False
    failed_since: datetime | None = None
    phone_asked: bool = False
    """The phone hung up."""
    node_asked: bool = False
    """A program on Asterisk's side did."""


class Legs:
    """The legs of one node, by channel id."""

    def __init__(self, node: str, hang_up_wait: timedelta) -> None:
        self._node = node
        self._wait = hang_up_wait
        self._legs: dict[str, _Leg] = {}
        self._gone: deque[str] = deque(maxlen=_REMEMBERED)

    def apply(self, signal: ChannelSignal) -> tuple[LegUp | LegGone, ...]:
        """Take note; return what is new."""
        match signal:
            case HungUp(channel_id=channel_id, cause=cause, cause_text=text):
                by_node = cause != MEDIA_TIMEOUT and self._ended_by_node(channel_id)
                return self._end(channel_id, signal.at, cause, text, by_node=by_node)
            case HangUpAsked(far_end=far_end) if signal.channel_id in self._legs:
                leg = self._legs[signal.channel_id]
                leg.phone_asked, leg.node_asked = leg.phone_asked or far_end, leg.node_asked or not far_end
            case OriginateFailed() if signal.channel_id not in self._legs:
                # No channel was ever made: no hang-up will follow.
                return self._end(signal.channel_id, signal.at, None, "the phone cannot be reached")
            case OriginateFailed():
                self._legs[signal.channel_id].failed_since = signal.at
            case Created(channel=channel):
                self._legs.setdefault(signal.channel_id, _Leg()).channel = channel
            case Answered() if signal.channel_id not in self._gone:
                return self.up(signal.channel_id, signal.channel or "", signal.at)
        return ()

    def up(self, channel_id: str, channel: str, at: datetime) -> tuple[LegUp, ...]:
        """The leg was answered, or found up."""
        leg = self._legs.setdefault(channel_id, _Leg())
        leg.channel = leg.channel or channel
        if leg.up:
            return ()
        leg.up = True
        return (LegUp(channel_id=channel_id, channel=leg.channel, node=self._node, at=at),)

    def gone(self, channel_id: str, at: datetime, *, node_lost: bool = False) -> tuple[LegGone, ...]:
        """It is not there any more, and nobody heard why; `node_lost`: Asterisk was started anew."""
        return self._end(channel_id, at, None, None, node_lost=node_lost)

    def give_up(self, now: datetime) -> tuple[LegGone, ...]:
        """End legs whose Originate failed and whose hang-up does not come."""
        late = [
            i for i, leg in self._legs.items() if leg.failed_since and now - leg.failed_since > self._wait
        ]
        return tuple(gone for channel_id in late for gone in self.gone(channel_id, now))

    def known(self) -> dict[str, str]:
        """Return the channel id of each leg by Asterisk's name of it."""
        return {leg.channel: channel_id for channel_id, leg in self._legs.items() if leg.channel}

    def ids(self) -> list[str]:
        """List the legs that are up or coming up."""
        return list(self._legs)

    def was_gone(self, channel_id: str) -> bool:
        """Whether its end was told a short while ago."""
        return channel_id in self._gone

    def _ended_by_node(self, channel_id: str) -> bool:
        leg = self._legs.get(channel_id)
        return leg is not None and leg.node_asked and not leg.phone_asked

    def _end(
        self,
        channel_id: str,
        at: datetime,
        cause: int | None,
        text: str | None,
        *,
        node_lost: bool = False,
        by_node: bool = False,
    ) -> tuple[LegGone, ...]:
        self._legs.pop(channel_id, None)
        if channel_id in self._gone:
            return ()
        self._gone.append(channel_id)
        return (
            LegGone(
                channel_id=channel_id,
                node=self._node,
                cause=cause,
                cause_text=text,
                at=at,
                node_lost=node_lost,
                by_node=by_node,
            ),
        )
