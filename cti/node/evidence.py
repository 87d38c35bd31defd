"""What the probe calls left on disks: the recording and the CEL rows, as they are seen from this machine."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cti.ami.message import Message
from cti.model.findings import Finding
from cti.node import machine
from cti.node.cel_files import find_rows
from cti.node.cel_rows import CelRow
from cti.node.file_verdicts import cel_findings, sound_finding
from cti.node.probe import Joined, Unfetched
from cti.node.wire import Wire

_PATIENCE_SECONDS: Final = 2.0
"""How long files may take to be seen here once the call has ended; a mount has its own delay."""
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that the probe calls of one node brought over AMI."""

    wire: Wire
    unfetched: Unfetched
    joined: Joined
    system_event: Message | None
    token: str
    recording: str
    """Name that the customer nobody fetched was recorded under."""

    @property
    def since(self) -> datetime | None:
        """The node's own time shortly before the first probe call came up."""
        came_up = _moment(self.unfetched.up or self.joined.leg_waits)
        return came_up - timedelta(seconds=10) if came_up else None


def wrong_folders(node: str, recordings: Path | None, cel_file: Path | None) -> list[Finding]:
    """Say what is wrong with the node's folders; empty when nothing is. Blocks."""
    cel = cel_file.parent if cel_file else None
    wrong = [
        machine.node_folder(node, "recordings of the node", recordings, "recordings", emptied=True),
        machine.node_folder(node, "CEL folder", cel, "cel", emptied=False),
    ]
    return [finding for finding in wrong if finding is not None]


async def recording_findings(node: str, folder: Path | None, seen: Seen) -> list[Finding]:
    """Judge the probe's recording and remove it; nothing is said of a folder that is not there."""
    if folder is None or not await asyncio.to_thread(folder.is_dir):
        return []
    up, hung_up = _moment(seen.unfetched.up), _moment(seen.unfetched.hung_up)
    if up is None or hung_up is None:
        told = "no probe call was recorded from its answer to its end, with the times of both"
        return [Finding(node=node, subject="recording", ok=None, message=told)]
    raw = folder / f"{seen.recording}.raw"
    if not await _is_written(raw):
        told = f"the node recorded a probe call, and no whole file {raw} came"
        mend = (
            "let `recordings` be the node's <astspooldir>/monitor/cti; look for MixMonitor in Asterisk's log"
        )
        return [Finding(node=node, subject="recording", ok=False, message=told, mend=mend)]
    played = seen.unfetched.message is not None and seen.unfetched.message.text("Status") == "SUCCESS"
    return [await asyncio.to_thread(_judge, node, raw, (hung_up - up).total_seconds(), played)]


async def cel_file_findings(node: str, file: Path | None, seen: Seen) -> list[Finding]:
    """Judge the rows of the probe calls; nothing is said of a folder that is not there."""
    if file is None or not await asyncio.to_thread(file.parent.is_dir):
        return []
    if seen.since is None:
        told = "no probe call came up that would be written down"
        return [Finding(node=node, subject="CEL file", ok=None, message=told)]
    findings: list[Finding] = []
    for _ in range(int(_PATIENCE_SECONDS / _LOOK_SECONDS)):
        findings = await asyncio.to_thread(_judge_rows, node, file, seen)
        if all(finding.ok for finding in findings):
            break
        await asyncio.sleep(_LOOK_SECONDS)
    return findings


def _judge_rows(node: str, file: Path, seen: Seen) -> list[Finding]:
    try:
        rows: list[CelRow] = find_rows(file, texts=[seen.token], since=seen.since).rows
    except OSError as error:
        mend = "let this service's account read what Asterisk writes into the CEL folder"
        told = f"{file}: {error.strerror}"
        return [Finding(node=node, subject="CEL file", ok=False, message=told, mend=mend)]
    return cel_findings(node, rows, seen.unfetched, seen.joined)


def _judge(node: str, raw: Path, seconds: float, played: bool) -> Finding:
    try:
        found = sound_finding(node, raw.read_bytes(), seconds, played)
        raw.unlink()
    except OSError as error:
        mend = "let this service's account read and remove what Asterisk records (a common group, a setgid folder)"
        return Finding(
            node=node, subject="recording", ok=False, message=f"{raw}: {error.strerror}", mend=mend
        )
    with suppress(OSError):
        raw.parent.rmdir()
    return found


async def _is_written(raw: Path) -> bool:
    """Wait until the file is there and two looks at its size agree."""
    before: int | None = None
    for _ in range(int(_PATIENCE_SECONDS / _LOOK_SECONDS)):
        size = await asyncio.to_thread(_size, raw)
        if size and size == before:
            return True
        before = size
        await asyncio.sleep(_LOOK_SECONDS)
    return before is not None


def _size(raw: Path) -> int | None:
    with suppress(OSError):
        return raw.stat().st_size
    return None


def _moment(event: Message | None) -> datetime | None:
    """Return the time Asterisk put on the event, None without `timestampevents`."""
    with suppress(ValueError):
        return datetime.fromtimestamp(float(event.text("Timestamp")), UTC) if event else None
    return None
