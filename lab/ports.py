"""Ports of the loopback for servers that begin a moment after the port was chosen."""

import random
import socket
from typing import Final

from lab.errors import PortTaken

PORTS: Final = range(6_000, 10_000)
"""Below those of labs, and below those the system chooses by itself: an outgoing connection of anybody may take one of
these between the choice and the begin of the server."""


def free_port() -> int:
    """Return a TCP port that nobody holds now; raises PortTaken when there is none."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise PortTaken(f"no free port from {PORTS.start} to {PORTS.stop - 1}")
