"""A whole exchange on this machine: a PBX, a carrier that plays the public network, softphones.

`async with Lab.open(LabSettings.free(folder)) as lab:` starts it, and leaves nothing running.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from lab import configuration
from lab.errors import NodeFailed, PortTaken
from lab.installation import find_installation
from lab.node import Node
from lab.settings import LabSettings, PortClaim
from lab.softphone import Behaviour, Line, Softphone

REACH_SECONDS: Final = 10.0
CLAIM_SECONDS: Final = 1.0
"""Another lab that looks for free ports holds them for a moment."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A running lab."""

    settings: LabSettings
    pbx: Node
    carrier: Node

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: LabSettings, *, report: Report = lambda _: None) -> AsyncIterator["Lab"]:
        """Start PBX and carrier, wait until calls can be placed; stop both at the end.

        Raises NotPrepared, PortTaken, NodeFailed. `report` is told what goes on, a line each.
        """
        asterisk = find_installation()
        settings.folder.mkdir(parents=True, exist_ok=True)
        lab = cls(
            settings=settings,
            pbx=Node(
                name="pbx",
                folder=settings.folder.resolve() / "pbx",
                asterisk=asterisk,
                ami_port=settings.pbx_ami_port,
                sip_port=settings.pbx_sip_port,
                user="cti",
                secret=settings.secret,
            ),
            carrier=Node(
                name="carrier",
                folder=settings.folder.resolve() / "carrier",
                asterisk=asterisk,
                ami_port=settings.carrier_ami_port,
                sip_port=settings.carrier_sip_port,
                user="lab",
                secret=configuration.LAB_SECRET,
                trunk="pbx",
            ),
        )
        async with AsyncExitStack() as stack:
            stack.enter_context(await _claim(settings))
            settings.probe()
            report(f"writing the configuration into {settings.folder}")
            configuration.write_pbx(lab.pbx.folder, settings, asterisk)
            configuration.write_carrier(lab.carrier.folder, settings, asterisk)
            stack.push_async_callback(lab._stop)
            report(f"starting {' '.join(asterisk.command[-1:])} twice: the PBX and the carrier")
            await lab._start()
            report("waiting until the PBX reaches the carrier")
            await lab.reachable()
            yield lab

    async def reachable(self) -> None:
        """Wait until the PBX knows that its trunk answers. Raises NodeFailed after 10 s."""
        async with self.pbx.admin() as ami:
            for _ in range(int(REACH_SECONDS / 0.1)):
                await ami.action("PJSIPQualify", Endpoint=self.pbx.trunk)
                await asyncio.sleep(0.1)
                if "Avail" in await ami.command(f"pjsip show aor {self.pbx.trunk}"):
                    return
        raise NodeFailed(f"the PBX does not reach the carrier on UDP port {self.settings.carrier_sip_port}")

    @asynccontextmanager
    async def softphone(
        self, stranger: Behaviour | None = None, *, port: int = 0
    ) -> AsyncIterator[Softphone]:
        """Open a softphone without lines. With `port=settings.lab_sip_port` and `stranger` it is the trunk `lab`."""
        async with Softphone.open(port=port, stranger=stranger) as phone:
            yield phone

    @asynccontextmanager
    async def phones(self, count: int, behaviour: Behaviour | None = None) -> AsyncIterator[list[Line]]:
        """Register the first `count` agents' phones: they answer at once unless told otherwise."""
        async with self.softphone() as phone:
            registrar = (self.pbx.host, self.pbx.sip_port)
            agents = self.settings.agents()[:count]
            lines = [phone.add_line(user, password, registrar, behaviour) for user, password in agents]
            await asyncio.gather(*(line.register() for line in lines))
            yield lines

    async def _start(self) -> None:
        # Not a TaskGroup: the caller gets the plain NodeFailed of the one that failed.
        ends = await asyncio.gather(self.carrier.start(), self.pbx.start(), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def _stop(self) -> None:
        await asyncio.gather(self.pbx.stop(), self.carrier.stop())


async def _claim(settings: LabSettings) -> PortClaim:
    """Return the claim to the lab's ports. Raises PortTaken when somebody keeps them."""
    deadline = time.monotonic() + CLAIM_SECONDS
    while True:
        try:
            return PortClaim(settings)
        except PortTaken:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.02)
