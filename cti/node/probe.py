"""Probe calls: they run the dialplan of the node contract on the node itself and ring nobody's phone.

Both ends of each are one Local channel within Asterisk, whose far end is `answer@cti-probe`.
"""

import secrets
from dataclasses import dataclass, replace
from typing import Final

from cti.ami.message import Message
from cti.ami.ports import AmiClient
from cti.errors import NodeError, NodeRefused
from cti.node.wire import Wire

GRACE_SECONDS: Final = 0.5
"""Of the customer nobody fetches: in it only his own voice is heard."""
_SOON: Final = 3.0
"""Seconds within which Asterisk does what it was told."""
_LONGEST_MESSAGE: Final = 50.0
"""Seconds; the far end stays for a minute."""
_UP: Final = "6"
"""ChannelState of a channel that was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfetched:
    """What was seen of the customer nobody fetches."""

    channel_id: str
    refusal: str | None = None
    """Why he could not be called."""
    up: Message | None = None
    waiting: Message | None = None
    dropped: Message | None = None
    message: Message | None = None
    hung_up: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What was seen of an agent's leg and the two customers joined to it, one after the other."""

    leg_id: str
    customer_id: str
    refusal: str | None = None
    leg_waits: Message | None = None
    """It entered the waiting room."""
    met: bool = False
    """Both were in one bridge."""
    came_back: bool = False
    """After the first customer went, the leg entered the waiting room again."""
    second_ended: Message | None = None
    """Hang-up of the second customer after the leg had died in the talk."""
    second_dropped: bool = False
    """The dialplan said of him that nobody fetched him, though he was marked."""


class Prober:
    """Makes the probe calls of one check; `clear` afterwards leaves nothing up."""

    def __init__(self, *, ami: AmiClient, wire: Wire, message: str) -> None:
        self._ami = ami
        self._wire = wire
        self._message = message
        self.token: Final = secrets.token_hex(16)

    @property
    def recording(self) -> str:
        """Name that the customer nobody fetches is recorded under."""
        return f"probe/{self.token}"

    async def unfetched(self) -> Unfetched:
        """Call a customer, fetch him not, and see him through to the end."""
        channel_id = self._channel_id("unfetched")
        try:
            up = await self._customer(channel_id, grace=GRACE_SECONDS, recording=self.recording)
        except NodeRefused as error:
            return Unfetched(channel_id=channel_id, refusal=str(error))
        waiting = await self._user_event("CtiWaiting", channel_id, _SOON) if up else None
        dropped = await self._user_event("CtiDropped", channel_id, _SOON) if waiting else None
        message = await self._user_event("CtiMessage", channel_id, _LONGEST_MESSAGE) if dropped else None
        hung_up = await self._wire.expect(_SOON, Event="Hangup", Uniqueid=channel_id) if message else None
        return Unfetched(
            channel_id=channel_id, up=up, waiting=waiting, dropped=dropped, message=message, hung_up=hung_up
        )

    async def joined(self) -> Joined:
        """Join a leg with one customer who hangs up, then with one in whose talk the leg dies."""
        seen = Joined(leg_id=self._channel_id("leg"), customer_id=self._channel_id("first"))
        try:
            leg = await self._call(seen.leg_id, "cti-agent", CTI_AGENT=f"probe-{self.token}")
            if leg is not None:
                seen = replace(seen, leg_waits=await self._rests(seen.leg_id, 1))
            if leg is not None and seen.leg_waits:
                seen = await self._talk(seen, leg)
            if leg is not None and seen.met and seen.came_back:
                seen = await self._leg_dies(seen, leg)
        except NodeRefused as error:
            return replace(seen, refusal=str(error))
        return seen

    async def system_event(self) -> Message | None:
        """Make Asterisk tell an event of the class `system`: ask a module to reload that has nothing to reload."""
        await self._ami.send_all({"Action": "ModuleLoad", "LoadType": "reload", "Module": "app_userevent.so"})
        return await self._wire.expect(_SOON, Event="Reload")

    async def clear(self) -> None:
        """Hang up what is left of the probe calls. A node that is away ends them by itself within a minute."""
        try:
            rows = await self._ami.collect({"Action": "CoreShowChannels"})
            left = [row.text("Channel") for row in rows if self.token in row.text("Uniqueid")]
            for name in left:
                await self._ami.send_all({"Action": "Hangup", "Channel": name, "Cause": "16"})
        except NodeError:
            return

    async def _talk(self, seen: Joined, leg: Message) -> Joined:
        """Join a first customer, hang him up, and see the leg come back."""
        customer = await self._customer(seen.customer_id, grace=30)
        if customer is None:
            return seen
        seen = replace(seen, met=await self._join(customer, leg))
        await self._hang_up(customer)
        return replace(seen, came_back=bool(await self._rests(seen.leg_id, 2)))

    async def _leg_dies(self, seen: Joined, leg: Message) -> Joined:
        """Join a second customer and let the leg die in the talk; see how the customer ends."""
        customer = await self._customer(self._channel_id("second"), grace=30)
        if customer is None or not await self._join(customer, leg):
            return seen
        await self._hang_up(leg)
        his = customer.text("Uniqueid")
        ended = await self._wire.expect(_SOON, Event="Hangup", Uniqueid=his)
        dropped = bool(self._wire.find(UserEvent="CtiDropped", Uniqueid=his))
        return replace(seen, second_ended=ended, second_dropped=dropped)

    async def _customer(self, channel_id: str, *, grace: float, recording: str = "") -> Message | None:
        return await self._call(
            channel_id,
            "cti-customer",
            CTI_CALL=self.token,
            CTI_GRACE=f"{grace:g}",
            CTI_RECORDING=recording,
        )

    async def _call(self, channel_id: str, context: str, **variables: str) -> Message | None:
        """Place a probe call and return the event that it is up, None when that does not come."""
        given = {"CTI_MESSAGE": self._message, **variables}
        await self._ami.send(
            {
                "Action": "Originate",
                "Channel": "Local/answer@cti-probe/n",
                "Context": context,
                "Exten": "s",
                "Priority": "1",
                "Async": "true",
                "Timeout": "3000",
                "ChannelId": channel_id,
                "OtherChannelId": f"{channel_id}-far",
                "Variable": [f"{name}={value}" for name, value in given.items()],
            }
        )
        return await self._wire.expect(_SOON, Event="Newstate", Uniqueid=channel_id, ChannelState=_UP)

    async def _join(self, customer: Message, leg: Message) -> bool:
        """Fetch a customer as the daemon does; return whether both came into one bridge."""
        names = {"Channel1": customer.text("Channel"), "Channel2": leg.text("Channel")}
        mark = {"Action": "Setvar", "Channel": names["Channel1"], "Variable": "CTI_TAKEN", "Value": "1"}
        await self._ami.send(mark)
        await self._ami.send({"Action": "Bridge", **names, "Tone": "no"})
        sides = (customer.text("Uniqueid"), leg.text("Uniqueid"))

        def together() -> bool:
            bridges = [
                {
                    event.text("BridgeUniqueid")
                    for event in self._wire.find(Event="BridgeEnter", Uniqueid=side)
                }
                for side in sides
            ]
            return bool(bridges[0] & bridges[1])

        return await self._wire.until(_SOON, together)

    async def _rests(self, leg_id: str, times: int) -> Message | None:
        """Wait until the leg has entered the waiting room so many times."""
        wanted = {"Event": "BridgeEnter", "Uniqueid": leg_id, "BridgeTechnology": "holding_bridge"}
        came = await self._wire.until(_SOON, lambda: len(self._wire.find(**wanted)) >= times)
        return self._wire.find(**wanted)[-1] if came else None

    async def _user_event(self, name: str, channel_id: str, seconds: float) -> Message | None:
        return await self._wire.expect(seconds, Event="UserEvent", UserEvent=name, Uniqueid=channel_id)

    async def _hang_up(self, channel: Message) -> None:
        await self._ami.send({"Action": "Hangup", "Channel": channel.text("Channel"), "Cause": "16"})

    def _channel_id(self, role: str) -> str:
        return f"waihu-p-{self.token}-{role}"
