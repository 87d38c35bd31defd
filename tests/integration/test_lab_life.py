"""The lab's own life: two side by side, killed nodes that come back, and nothing left behind however it ends."""

import asyncio
import signal
import socket
import sys
from pathlib import Path

import pytest

from lab import Lab, LabSettings, NodeFailed, PortTaken
from tests.integration.calls import PlacedCall
from tests.waiting import until

OWNER = """
import asyncio, pathlib, sys
from lab import Lab, LabSettings
async def main():
    async with Lab.open(LabSettings.free(pathlib.Path(sys.argv[1]))) as lab:
        print("ready", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


def processes_of(folder: Path) -> list[int]:
    """Return the processes that have this folder in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if f"{folder}/".encode() in command and b"asterisk" in command:
            found.append(int(process.name))
    return found


def mounts_of(folder: Path) -> list[str]:
    return [line for line in Path("/proc/mounts").read_text().splitlines() if str(folder) in line]


async def gone(folder: Path) -> None:
    """Wait until none of its processes is left."""
    await until(lambda: not processes_of(folder), every=0.05)


async def test_two_labs_run_side_by_side_and_nothing_is_left_of_them(asterisk: None, tmp_path: Path) -> None:
    async with (
        Lab.open(LabSettings.free(tmp_path / "one")) as one,
        Lab.open(LabSettings.free(tmp_path / "two")) as two,
        one.phones(2) as [first, _],
        two.phones(2) as [second, _],
    ):
        assert first.registered
        assert second.registered
        for lab in (one, two):
            async with lab.pbx.ami() as ami:
                call = await PlacedCall(number="+49123019100", ami=ami, grace=3).place()
                assert (await call.hangup())["Cause"] == "16"
        assert set(one.settings.pbx_rtp).isdisjoint([*two.settings.pbx_rtp, *two.settings.carrier_rtp])
        assert len(processes_of(tmp_path)) == 4
    assert processes_of(tmp_path) == []
    assert mounts_of(tmp_path) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_an_owner_that_is_killed_takes_its_exchange_along(
    asterisk: None, tmp_path: Path, how: signal.Signals
) -> None:
    root = Path(__file__).parents[2]
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert owner.stdout is not None
    assert await asyncio.wait_for(owner.stdout.readline(), 30) == b"ready\n"
    assert len(processes_of(tmp_path)) == 2
    owner.send_signal(how)
    await owner.wait()
    await gone(tmp_path)
    assert mounts_of(tmp_path) == []


async def test_a_port_that_is_taken_is_named(asterisk: None, tmp_path: Path) -> None:
    settings = LabSettings.free(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.carrier_ami_port))
        taken.listen()
        with pytest.raises(PortTaken, match=str(settings.carrier_ami_port)):
            async with Lab.open(settings):
                pass
    assert processes_of(tmp_path) == []


async def test_an_open_lab_keeps_its_ports(lab: Lab, tmp_path: Path) -> None:
    same = LabSettings(folder=tmp_path, base_port=lab.settings.base_port, rtp_ports=1000)
    with pytest.raises(PortTaken, match=str(lab.settings.base_port)):
        async with Lab.open(same):
            pass


async def test_a_pbx_that_can_not_start_says_why(fresh_lab: Lab) -> None:
    await fresh_lab.pbx.stop()
    conf = fresh_lab.pbx.folder / "etc" / "modules.conf"
    whole = conf.read_text()
    conf.write_text(whole + "require = no_such_module.so\n")
    with pytest.raises(NodeFailed, match=r"(?s)pbx ended while it started.*no_such_module"):
        await fresh_lab.pbx.start()
    assert not fresh_lab.pbx.running
    conf.write_text(whole)
    await fresh_lab.pbx.start()


async def test_a_killed_pbx_comes_back_and_places_calls(fresh_lab: Lab) -> None:
    async with fresh_lab.pbx.ami() as ami:
        await PlacedCall(number="+49123009100", ami=ami, grace=9).place()
        before = fresh_lab.pbx.process
        await fresh_lab.pbx.kill()
        await asyncio.wait_for(ami.closed.wait(), 5)
    assert before is not None
    assert before.returncode == -signal.SIGKILL
    await fresh_lab.pbx.start()
    await fresh_lab.reachable()
    async with fresh_lab.pbx.ami() as ami:
        call = await PlacedCall(number="+49123003000", ami=ami).place()
        assert (await call.hangup())["TechCause"].startswith("486")


async def test_a_killed_carrier_is_noticed_by_the_trunk(fresh_lab: Lab) -> None:
    async with fresh_lab.pbx.ami() as ami:
        await fresh_lab.carrier.kill()
        await ami.expect("ContactStatus", EndpointName="carrier", ContactStatus="Unreachable", within=12)
        await fresh_lab.carrier.start()
        await fresh_lab.reachable()
        call = await PlacedCall(number="+49123003000", ami=ami).place()
        assert (await call.hangup())["Cause"] == "17"


async def test_the_console_can_be_asked(lab: Lab) -> None:
    assert "Asterisk" in await lab.pbx.cli("core show version")
    assert "pbx" in await lab.carrier.cli("pjsip show endpoints")


async def test_a_hundred_busy_calls_at_once_all_end_as_busy(lab: Lab) -> None:
    async with lab.pbx.ami() as ami:
        calls = [PlacedCall(number="+49123003001", ami=ami) for _ in range(100)]
        await asyncio.gather(*(call.place() for call in calls))
        ends = await asyncio.gather(*(call.hangup() for call in calls))
    assert {(end["Cause"], end["TechCause"][:3]) for end in ends} == {("17", "486")}
