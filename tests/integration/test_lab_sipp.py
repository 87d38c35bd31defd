"""SIPp as a second opinion: a phone that none of us wrote registers, takes a kept leg and talks with a customer."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from lab import Lab, LabSettings
from lab.softphone import Behaviour, tone
from tests.integration.calls import PlacedCall, keep_leg

SCENARIOS = Path(__file__).parent / "sipp"


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def sipp() -> str:
    found = shutil.which("sipp")
    if found is None:
        reason = "NO SIPP, NOT TESTED: run scripts/lab-tools"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return str(found)


async def start(sipp: str, lab: Lab, scenario: str, port: int, folder: Path) -> asyncio.subprocess.Process:
    arguments = [
        "-sf",
        str(SCENARIOS / scenario),
        "-inf",
        "users.csv",
        "-m",
        "1",
        "-nostdin",
        "-timeout",
        "30",
    ]
    here = ["-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1", "-mp", str(free_udp_port())]
    return await asyncio.create_subprocess_exec(
        sipp,
        f"{lab.pbx.host}:{lab.pbx.sip_port}",
        *arguments,
        *here,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def succeeded(process: asyncio.subprocess.Process) -> None:
    output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, output.decode(errors="replace")[-3000:]


@pytest_asyncio.fixture
async def patient_lab(asterisk: None, tmp_path: Path) -> AsyncIterator[Lab]:
    """A lab that does not ask phones whether they are there: SIPp is away between its two scenarios."""
    async with Lab.open(LabSettings.free(tmp_path / "lab", qualify_seconds=0)) as own:
        yield own


async def test_a_foreign_phone_registers_takes_a_kept_leg_and_talks(
    patient_lab: Lab, sipp: str, tmp_path: Path
) -> None:
    lab = patient_lab
    user, password = lab.settings.agents()[1]
    (tmp_path / "users.csv").write_text(
        f"SEQUENTIAL\n{user};[authentication username={user} password={password}]\n"
    )
    (tmp_path / "tone.ulaw").write_bytes(tone(1000) * 5)
    port = free_udp_port()
    stranger = Behaviour(voice=tone(600))
    async with (
        lab.pbx.ami() as ami,
        lab.softphone(stranger, port=lab.settings.lab_sip_port) as network,
    ):
        await succeeded(await start(sipp, lab, "register.xml", port, tmp_path))
        answering = await start(sipp, lab, "answer.xml", port, tmp_path)
        try:
            leg = await keep_leg(ami, user)
            call = await PlacedCall(number="+4912345", ami=ami, grace=3, trunk="lab").place()
            await call.user_event("CtiWaiting")
            await call.take(leg)
            await network.strangers[0].hears(1000)
            await network.strangers[0].hang_up()
            await call.hangup()
            await ami.action("Hangup", Channel=leg, Cause=16)
            await succeeded(answering)
        finally:
            if answering.returncode is None:
                answering.kill()
                await answering.wait()
