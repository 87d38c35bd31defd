"""Ports for servers that begin a moment later."""

import socket
from pathlib import Path

import pytest

from lab import ports
from lab.errors import PortTaken
from lab.ports import free_port
from lab.settings import LOWEST


def test_a_port_is_none_that_the_system_or_a_lab_would_take() -> None:
    first_of_the_system = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert 1024 < free_port() < min(LOWEST, first_of_the_system)


def test_a_port_that_somebody_holds_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        monkeypatch.setattr(ports, "PORTS", range(port, port + 1))
        with pytest.raises(PortTaken, match=str(port)):
            free_port()
