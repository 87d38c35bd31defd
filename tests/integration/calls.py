"""Calls placed over the lab's own AMI client, with the variables that the node contract wants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from lab.ami import Ami, Message
from tests.waiting import PATIENCE_SECONDS


@dataclass(frozen=True, kw_only=True)
class PlacedCall:
    """A customer's call as the service would place it."""

    number: str
    ami: Ami
    grace: float = 1.0
    message: str = "lab-beep"
    record: bool = False
    trunk: str = "carrier"
    detection: Mapping[str, str] = field(default_factory=dict)
    """Variables that make the dialplan look for machines; without them it does not."""
    id: str = field(default_factory=lambda: uuid4().hex)

    @property
    def channel(self) -> str:
        return "waihu-c-" + self.id

    @property
    def recording(self) -> str:
        return f"{self.id[:2]}/{self.id}" if self.record else ""

    async def place(self, *, ring_seconds: float = 8.0) -> "PlacedCall":
        await self.ami.action(
            "Originate",
            ("CTI_CALL", self.id),
            ("CTI_GRACE", str(self.grace)),
            ("CTI_MESSAGE", self.message),
            ("CTI_RECORDING", self.recording),
            *self.detection.items(),
            Channel=f"PJSIP/{self.number}@{self.trunk}",
            Context="cti-customer",
            Exten="s",
            Priority=1,
            Async="true",
            ChannelId=self.channel,
            Timeout=int(ring_seconds * 1000),
        )
        return self

    async def user_event(self, name: str, *, within: float = PATIENCE_SECONDS) -> Message:
        return await self.ami.expect("UserEvent", UserEvent=name, CallId=self.id, within=within)

    def user_events(self) -> list[str]:
        return [event["UserEvent"] for event in self.ami.seen("UserEvent", CallId=self.id)]

    async def hangup(self, *, within: float = PATIENCE_SECONDS) -> Message:
        return await self.ami.expect("Hangup", Uniqueid=self.channel, within=within)

    async def take(self, leg: str) -> None:
        await self.ami.action("Setvar", Channel=self.channel, Variable="CTI_TAKEN", Value="1")
        await self.ami.action("Bridge", Channel1=self.channel, Channel2=leg, Tone="no")


async def keep_leg(ami: Ami, user: str) -> str:
    """Call an agent's phone once and keep the leg; return its channel id."""
    leg = f"waihu-a-1-{uuid4().hex[:12]}"
    await ami.action(
        "Originate",
        ("CTI_AGENT", user),
        Channel=f"PJSIP/{user}",
        Context="cti-agent",
        Exten="s",
        Priority=1,
        Async="true",
        ChannelId=leg,
        Timeout=5000,
    )
    await waiting_leg(ami, leg)
    return leg


async def waiting_leg(ami: Ami, leg: str, *, after: int = 0) -> None:
    """Wait until a kept leg is in its holding bridge."""
    await ami.expect("BridgeEnter", Uniqueid=leg, BridgeTechnology="holding_bridge", after=after)
