"""`cti check`: proves each item of the node contract on running nodes, and that this machine is ready.

It rings nobody, changes nothing, and leaves nothing up: see `probe`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.ami.panoramisk_client import AmiAccount, Patience, connected_client
from cti.ami.ports import AmiClient
from cti.clock import Clock
from cti.errors import NodeError
from cti.model.findings import Finding
from cti.node import machine
from cti.node.bucket import recordings_bucket
from cti.node.evidence import Seen, cel_file_findings, recording_findings, wrong_folders
from cti.node.probe import Prober
from cti.node.questions import ask, ask_trunk
from cti.node.verdicts import event_findings, joining_findings, safety_net_findings
from cti.node.wire import Wire
from cti.recording.ports import FileStore

_PATIENCE: Final = Patience(connect=5.0, answer=5.0, boot=5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeToCheck:
    """A node, and where its folders are seen from here."""

    account: AmiAccount
    trunk: str
    """By which campaigns leave that name none; empty: none."""
    message: str
    """Sound that is played to a person nobody fetches."""
    recordings: Path | None
    cel_file: Path | None
    more_trunks: tuple[str, ...] = ()
    """All other trunks that the settings name."""

    @property
    def name(self) -> str:
        return self.account.node


async def check_machine(
    *,
    recordings: Path,
    reach_database: Callable[[], Awaitable[object]],
    host: str,
    port: int,
    bucket: str = "",
    open_bucket: Callable[[], FileStore] | None = None,
) -> list[Finding]:
    """Check what belongs to no node: the recordings folder and bucket, the database, the API's port."""
    return [
        await asyncio.to_thread(machine.writable_folder, recordings),
        *([await asyncio.to_thread(recordings_bucket, open_bucket, bucket)] if open_bucket else []),
        await machine.database(reach_database),
        await asyncio.to_thread(machine.api_address, host, port),
    ]


async def check_node(node: NodeToCheck, *, clock: Clock) -> list[Finding]:
    """Check one node; takes as long as its message lasts and some seconds."""
    try:
        async with connected_client(node.account, patience=_PATIENCE) as ami:
            login = Finding(node=node.name, subject="AMI login", ok=True, message=f"as {node.account.user}")
            trunks = [await ask_trunk(ami, trunk) for trunk in (node.trunk, *node.more_trunks)]
            asked = [*await ask(ami), *trunks]
            seen = await _probe(ami, node, clock)
    except NodeError as error:
        return [
            _no_login(node, error),
            *await asyncio.to_thread(wrong_folders, node.name, node.recordings, node.cel_file),
        ]
    placed = seen.unfetched.refusal is None or seen.joined.refusal is None
    return [
        login,
        *asked,
        *event_findings(node.name, seen.wire.heard, seen.system_event, placed),
        *safety_net_findings(node.name, seen.unfetched, node.message),
        *joining_findings(node.name, seen.joined),
        *await asyncio.to_thread(wrong_folders, node.name, node.recordings, node.cel_file),
        *await recording_findings(node.name, node.recordings, seen),
        *await cel_file_findings(node.name, node.cel_file, seen),
    ]


def _no_login(node: NodeToCheck, error: NodeError) -> Finding:
    if "did not finish starting" in str(error):
        mend = (
            "wait until it has started; if it has, its manager account lacks the right to read `system`, without which "
            "it is not told so: take the `read` line of manager_cti.conf and run `manager reload`"
        )
    else:
        mend = (
            '#include "manager_cti.conf" from manager.conf, with enabled = yes and the port under [general]; the same '
            "user and secret in the settings; `permit` for this machine"
        )
    return Finding(node=node.name, subject="AMI login", ok=False, message=str(error), mend=mend)


async def _probe(ami: AmiClient, node: NodeToCheck, clock: Clock) -> Seen:
    wire = Wire(ami, clock)
    prober = Prober(ami=ami, wire=wire, message=node.message)
    listening = asyncio.create_task(wire.listen(), name="probe events")
    try:
        unfetched, joined, system_event = await asyncio.gather(
            prober.unfetched(), prober.joined(), prober.system_event()
        )
    finally:
        await prober.clear()
        listening.cancel()
    return Seen(
        wire=wire,
        unfetched=unfetched,
        joined=joined,
        system_event=system_event,
        token=prober.token,
        recording=prober.recording,
    )
