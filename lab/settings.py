"""What a lab is made of: its folder, its ports, its phones. Starts nothing."""

import random
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.errors import LabError, PortTaken

HOST: Final = "127.0.0.1"
UNIT: Final = 1000
"""A lab claims its ports in units of so many: it holds the first UDP port of each, so that labs never overlap."""
SIGNALLING: Final = 100
"""The first ports of a lab are for SIP and AMI, the rest for voice."""
LOWEST, HIGHEST = 10_000, 64_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LabSettings:
    """One lab. Two labs run side by side when their folders and their ports differ."""

    folder: Path
    """Everything the lab writes: configuration, logs, recordings, CEL. Made when missing."""
    base_port: int = 20_000
    """A multiple of 1000. All ports of the lab lie from here on."""
    rtp_ports: int = 2000
    """Ports for voice of each Asterisk, a multiple of 1000; a leg takes two, a joined call four on the PBX."""
    phones: int = 20
    """Agents' endpoints a001, a002, ... on the PBX."""
    rtp_timeout: int = 10
    """Seconds without a packet after which the PBX hangs up a phone's leg."""
    qualify_seconds: int = 5
    """How often the PBX asks phones and trunk whether they are there; 0: only the trunk, every 5 s."""
    secret: str = "lab-secret"
    """AMI secret of the account `cti` on the PBX."""

    def __post_init__(self) -> None:
        if self.base_port % UNIT or self.rtp_ports % UNIT or self.rtp_ports < UNIT:
            raise LabError(f"base_port and rtp_ports are multiples of {UNIT}")
        if not 1024 <= self.base_port <= 65_535 - 2 * self.rtp_ports:
            raise LabError(f"ports {self.base_port} and the {2 * self.rtp_ports} from there do not fit")

    @classmethod
    def free(
        cls,
        folder: Path,
        *,
        rtp_ports: int = 2000,
        phones: int = 20,
        rtp_timeout: int = 10,
        qualify_seconds: int = 5,
    ) -> "LabSettings":
        """Return settings whose ports nobody holds now. The ports are claimed when the lab opens, not here."""
        # Labs of one size beside each other first, so that they do not break up the space.
        highest = min(HIGHEST - 2 * rtp_ports, _first_ephemeral_port() - SIGNALLING + 1)
        beside = list(range(LOWEST, highest, 2 * rtp_ports))
        between = list(range(LOWEST, highest, UNIT))
        for base in (*random.sample(beside, len(beside)), *random.sample(between, len(between))):
            settings = cls(
                folder=folder,
                base_port=base,
                rtp_ports=rtp_ports,
                phones=phones,
                rtp_timeout=rtp_timeout,
                qualify_seconds=qualify_seconds,
            )
            with suppress(PortTaken), PortClaim(settings):
                settings.probe()
                return settings
        raise PortTaken(f"no {2 * rtp_ports} free ports in a row from {LOWEST} on")

    @property
    def pbx_ami_port(self) -> int:
        return self.base_port + 1

    @property
    def carrier_ami_port(self) -> int:
        return self.base_port + 2

    @property
    def pbx_sip_port(self) -> int:
        return self.base_port + 3

    @property
    def carrier_sip_port(self) -> int:
        return self.base_port + 4

    @property
    def lab_sip_port(self) -> int:
        """Where the PBX's trunk `lab` points: bind a softphone here to stand in for the carrier."""
        return self.base_port + 5

    @property
    def spare_port(self) -> int:
        """Not used by the lab: for the service under test (HTTP)."""
        return self.base_port + 10

    @property
    def pbx_rtp(self) -> range:
        return range(self.base_port + SIGNALLING, self.base_port + self.rtp_ports)

    @property
    def carrier_rtp(self) -> range:
        return range(self.base_port + self.rtp_ports + 2, self.base_port + 2 * self.rtp_ports)

    def agents(self) -> list[tuple[str, str]]:
        """Return the agents' endpoints with their passwords."""
        return [(f"a{n:03d}", f"secret-a{n:03d}") for n in range(1, self.phones + 1)]

    def probe(self) -> None:
        """Raise PortTaken when a port for SIP or AMI is held by anyone."""
        for port in (self.pbx_ami_port, self.carrier_ami_port):
            _bind(port, socket.SOCK_STREAM).close()
        for port in (self.pbx_sip_port, self.carrier_sip_port, self.lab_sip_port):
            _bind(port, socket.SOCK_DGRAM).close()


def _first_ephemeral_port() -> int:
    """Return where the system's own choice of ports begins.

    A listening port among those may be taken at any moment by somebody's outgoing connection. Voice may lie there:
    Asterisk takes the next port when one is taken.
    """
    with suppress(OSError, ValueError):
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return 32_768


class PortClaim:
    """Holds the first UDP port of each unit of a lab's ports, until it is closed. Raises PortTaken when made."""

    def __init__(self, settings: LabSettings) -> None:
        self._ports = range(settings.base_port, settings.base_port + 2 * settings.rtp_ports, UNIT)
        self._held: list[socket.socket] = []
        try:
            for port in self._ports:
                self._held.append(_bind(port, socket.SOCK_DGRAM))
        except PortTaken:
            self.close()
            raise

    def __enter__(self) -> "PortClaim":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        while self._held:
            self._held.pop().close()


def _bind(port: int, kind: socket.SocketKind) -> socket.socket:
    held = socket.socket(socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port))
    except OSError as error:
        held.close()
        what = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        raise PortTaken(f"{what} port {HOST}:{port} is taken: {error.strerror}") from error
    return held
