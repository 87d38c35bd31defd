"""`cti check` on a real Asterisk: a good node passes, and each broken thing is named with its mend."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from cti.ami.panoramisk_client import AmiAccount
from cti.clock import SystemClock
from cti.errors import StorageError
from cti.model.findings import Finding
from cti.node.checks import NodeToCheck, check_machine, check_node
from lab import Lab, LabSettings
from lab.ports import free_port

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx(asterisk: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """A lab of this file's own, for its configuration is broken on purpose."""
    async with Lab.open(LabSettings.free(tmp_path_factory.mktemp("check"), rtp_ports=1000)) as lab:
        yield lab


def node_of(lab: Lab) -> NodeToCheck:
    pbx = lab.pbx
    account = AmiAccount(node="pbx", host=pbx.host, port=pbx.ami_port, user=pbx.user, secret=pbx.secret)
    return NodeToCheck(
        account=account,
        trunk=pbx.trunk,
        message="beep",
        recordings=pbx.recordings,
        cel_file=pbx.cel / "cti.csv",
    )


async def check(node: NodeToCheck) -> dict[str, Finding]:
    return {finding.subject: finding for finding in await check_node(node, clock=SystemClock())}


def wrong(findings: dict[str, Finding]) -> set[str]:
    return {subject for subject, finding in findings.items() if finding.ok is False}


@asynccontextmanager
async def changed(lab: Lab, name: str, old: str, new: str, *reload: str) -> AsyncIterator[None]:
    """Change a configuration file and load it, for as long as the block lasts."""
    file = lab.pbx.folder / "etc" / name
    good = file.read_text()
    assert old in good
    try:
        file.write_text(good.replace(old, new))
        for line in reload:
            await lab.pbx.cli(line)
        yield
    finally:
        file.write_text(good)
        for line in reload:
            await lab.pbx.cli(line)


async def test_a_good_node_passes_all_and_nothing_is_left_up(pbx: Lab) -> None:
    findings = await check(node_of(pbx))
    assert [finding for finding in findings.values() if not finding.ok] == []
    assert all(not finding.mend for finding in findings.values())
    assert {"AMI login", "trunk carrier", "recording", "CEL file", "Bridge", "CTI_TAKEN"} <= set(findings)
    assert "0 active channels" in await pbx.pbx.cli("core show channels count")
    assert not [path for path in pbx.pbx.recordings.rglob("*") if path.is_file()]


async def test_a_check_rings_nobody(pbx: Lab) -> None:
    async with pbx.carrier.admin() as carrier:
        await check(node_of(pbx))
        assert not [event for event in carrier.events if event["Event"] == "Newchannel"]


async def test_a_wrong_secret_is_named(pbx: Lab) -> None:
    node = node_of(pbx)
    node = replace(node, account=replace(node.account, secret="not this one"))
    findings = await check(node)
    assert wrong(findings) == {"AMI login"}
    assert "refused the AMI user cti" in findings["AMI login"].message
    assert "secret" in findings["AMI login"].mend


async def test_an_asterisk_that_is_not_there_is_named_with_its_wrong_folders(
    pbx: Lab, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    node = replace(node_of(pbx), recordings=tmp_path / "none", cel_file=None)
    findings = await check(replace(node, account=replace(node.account, port=port)))
    assert wrong(findings) == {"AMI login", "recordings of the node", "CEL folder"}
    assert "nobody listens there" in findings["AMI login"].message


@pytest.mark.parametrize("context", ["cti-customer", "cti-agent", "cti-probe"])
async def test_a_missing_context_is_named(pbx: Lab, context: str) -> None:
    async with changed(pbx, "extensions_cti.conf", f"[{context}]", f"[not-{context}]", "dialplan reload"):
        findings = await check(node_of(pbx))
    assert f"dialplan {context}" in wrong(findings)
    assert "extensions_cti.conf" in findings[f"dialplan {context}"].mend


async def test_an_old_dialplan_that_does_not_ask_for_the_mark_is_found(pbx: Lab) -> None:
    async with changed(
        pbx, "extensions_cti.conf", '"${CTI_TAKEN}"="1"', '"${CTI_OLD}"="1"', "dialplan reload"
    ):
        findings = await check(node_of(pbx))
    assert wrong(findings) == {"CTI_TAKEN"}


async def test_a_dialplan_without_the_words_of_the_safety_net_is_found(pbx: Lab) -> None:
    async with changed(pbx, "extensions_cti.conf", "UserEvent(CtiDropped", "NoOp(", "dialplan reload"):
        findings = await check(node_of(pbx))
    assert wrong(findings) == {"UserEvent CtiDropped"}
    assert findings["UserEvent CtiMessage"].ok is None


@pytest.mark.parametrize(
    ("right", "line", "without"),
    [
        ("originate (write)", "write = call,originate,system,reporting", "write = call,system,reporting"),
        ("call (write)", "write = call,originate,system,reporting", "write = originate,system,reporting"),
        ("system (write)", "write = call,originate,system,reporting", "write = call,originate,reporting"),
        ("reporting (write)", "write = call,originate,system,reporting", "write = call,originate,system"),
        ("user (read)", "read = call,user,system,reporting", "read = call,system,reporting"),
        ("call (read)", "read = call,user,system,reporting", "read = user,system,reporting"),
    ],
)
async def test_a_missing_right_is_named(pbx: Lab, right: str, line: str, without: str) -> None:
    async with changed(pbx, "manager_cti.conf", line, without, "manager reload"):
        findings = await check(node_of(pbx))
    assert f"AMI right {right}" in wrong(findings)
    assert "manager_cti.conf" in findings[f"AMI right {right}"].mend


async def test_an_account_that_is_not_told_of_the_system_is_found_at_the_login(pbx: Lab) -> None:
    line = "read = call,user,system,reporting"
    async with changed(pbx, "manager_cti.conf", line, "read = call,user,reporting", "manager reload"):
        findings = await check(node_of(pbx))
    assert wrong(findings) == {"AMI login"}
    assert "the right to read `system`" in findings["AMI login"].mend


async def test_events_without_their_own_time_are_found(pbx: Lab) -> None:
    async with changed(
        pbx, "manager.conf", "timestampevents = yes", "timestampevents = no", "manager reload"
    ):
        findings = await check(node_of(pbx))
    assert wrong(findings) == {"timestampevents"}
    assert "timestampevents = yes" in findings["timestampevents"].mend


async def test_a_module_that_is_not_loaded_is_named(pbx: Lab) -> None:
    # Asterisk does not let a console command over AMI load or unload modules.
    async with pbx.pbx.admin() as ami:
        await ami.action("ModuleLoad", LoadType="unload", Module="app_mixmonitor.so")
        try:
            findings = await check(node_of(pbx))
        finally:
            await ami.action("ModuleLoad", LoadType="load", Module="app_mixmonitor.so")
    assert "modules" in wrong(findings)
    assert "app_mixmonitor.so" in findings["modules"].mend


async def test_the_dialplan_of_an_older_version_is_named(pbx: Lab) -> None:
    async with changed(pbx, "extensions_cti.conf", "[cti-detect]", "[cti-detect-not-yet]", "dialplan reload"):
        findings = await check(node_of(pbx))
    assert wrong(findings) == {"dialplan cti-detect"}
    assert "of this version" in findings["dialplan cti-detect"].mend


async def test_what_a_node_cannot_detect_is_told_and_no_fault(pbx: Lab) -> None:
    async with pbx.pbx.admin() as ami:
        await ami.action("ModuleLoad", LoadType="unload", Module="app_amd.so")
        try:
            findings = await check(node_of(pbx))
        finally:
            await ami.action("ModuleLoad", LoadType="load", Module="app_amd.so")
    assert wrong(findings) == set()
    assert "without app_amd everybody" in findings["machine detection"].message


async def test_a_recordings_folder_that_is_another_one_is_found(pbx: Lab, tmp_path: Path) -> None:
    findings = await check(replace(node_of(pbx), recordings=tmp_path))
    assert wrong(findings) == {"recording"}
    assert "monitor/cti" in findings["recording"].mend


async def test_a_recordings_folder_that_is_not_there_is_named(pbx: Lab, tmp_path: Path) -> None:
    findings = await check(replace(node_of(pbx), recordings=tmp_path / "none"))
    assert wrong(findings) == {"recordings of the node"}
    assert str(tmp_path / "none") in findings["recordings of the node"].message


async def test_a_recording_without_two_channels_is_found(pbx: Lab) -> None:
    async with changed(pbx, "extensions_cti.conf", ".raw,D)", ".raw)", "dialplan reload"):
        findings = await check(node_of(pbx))
    assert wrong(findings) == {"recording"}


async def test_a_missing_cel_folder_on_the_node_is_found(pbx: Lab) -> None:
    away = pbx.pbx.cel.with_name("cel-away")
    pbx.pbx.cel.rename(away)
    try:
        findings = await check(node_of(pbx))
    finally:
        away.rename(pbx.pbx.cel)
    assert wrong(findings) == {"CEL folder"}


async def test_a_cel_file_that_gets_no_rows_is_found(pbx: Lab, tmp_path: Path) -> None:
    findings = await check(replace(node_of(pbx), cel_file=tmp_path / "cti.csv"))
    assert wrong(findings) == {"CEL file"}
    assert "cel_custom.conf" in findings["CEL file"].mend


async def test_cel_events_that_are_switched_off_are_named(pbx: Lab) -> None:
    async with changed(pbx, "cel.conf", "BRIDGE_ENTER,", "", "module reload cel"):
        findings = await check(node_of(pbx))
    assert wrong(findings) == {"CEL file"}
    assert "without BRIDGE_ENTER" in findings["CEL file"].message


async def test_a_message_that_cannot_be_played_is_named(pbx: Lab) -> None:
    findings = await check(replace(node_of(pbx), message="cti-no-such-sound"))
    assert wrong(findings) == {"sound cti-no-such-sound"}
    assert "sounds folder" in findings["sound cti-no-such-sound"].mend


@pytest.mark.parametrize(
    ("trunk", "told"), [("nowhere", "Unable to retrieve"), ("lab", "nobody asks whether it lives")]
)
async def test_a_trunk_that_is_not_there_or_not_asked_is_named(pbx: Lab, trunk: str, told: str) -> None:
    findings = await check(replace(node_of(pbx), trunk=trunk))
    assert wrong(findings) == {f"trunk {trunk}"}
    assert told in findings[f"trunk {trunk}"].message


async def test_a_dead_trunk_is_named(pbx: Lab) -> None:
    await pbx.carrier.stop()
    try:
        async with pbx.pbx.admin() as ami:
            await ami.action("PJSIPQualify", Endpoint="carrier")
        for _ in range(100):
            if "Unavail" in await pbx.pbx.cli("pjsip show aor carrier"):
                break
            await asyncio.sleep(0.1)
        findings = await check(node_of(pbx))
    finally:
        await pbx.carrier.start()
        await pbx.reachable()
    assert wrong(findings) == {"trunk carrier"}
    assert "Unreachable" in findings["trunk carrier"].message


async def test_a_machine_that_is_ready_passes(tmp_path: Path) -> None:
    async def reach() -> None: ...

    findings = await check_machine(
        recordings=tmp_path / "new", reach_database=reach, host="127.0.0.1", port=free_port()
    )
    assert [finding.ok for finding in findings] == [True, True, True]


async def test_what_a_machine_lacks_is_named(tmp_path: Path) -> None:
    async def away() -> None:
        raise StorageError("the database file is locked", temporary=True)

    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as held:
        findings = await check_machine(
            recordings=tmp_path / "file", reach_database=away, host="127.0.0.1", port=held.getsockname()[1]
        )
    assert [finding.ok for finding in findings] == [False, False, False]
    assert all(finding.mend for finding in findings)
