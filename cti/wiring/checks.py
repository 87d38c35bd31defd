"""Says to `cti check` what there is to look at on this machine and on each node."""

import asyncio
from functools import partial

from cti.clock import Clock, SystemClock
from cti.model.findings import Finding
from cti.model.queries import CallFilter
from cti.node.checks import NodeToCheck, check_machine, check_node
from cti.recording.plan import Patience, S3Place
from cti.recording.ports import FileStore
from cti.settings import NodeSettings, Settings
from cti.storage.database import open_database
from cti.wiring.exchange import account_of


async def check(settings: Settings, *, clock: Clock | None = None) -> list[Finding]:
    """Look at this machine and prove the node contract on each node; dials nobody, leaves nothing up."""
    clock = clock or SystemClock()
    s3 = settings.recording.s3
    findings = await check_machine(
        recordings=settings.recording.folder,
        bucket=s3.bucket if s3 else "",
        open_bucket=partial(_open_bucket, s3.place()) if s3 else None,
        reach_database=lambda: _ask_database(settings),
        host=settings.api.host,
        port=settings.api.port,
    )
    if not settings.nodes:
        mend = "add a [[nodes]] table to the settings"
        findings.append(
            Finding(node="", subject="nodes", ok=False, message="the settings name no node", mend=mend)
        )
    looked = await asyncio.gather(
        *(check_node(_to_check(settings, node), clock=clock) for node in settings.nodes)
    )
    return findings + [finding for found in looked for finding in found]


def _open_bucket(place: S3Place) -> FileStore:
    from cti.recording.s3_store import S3Store  # boto3 takes a third of a second to load

    return S3Store(place, patience=Patience(connect_seconds=5, read_seconds=10, attempts=1))


async def _ask_database(settings: Settings) -> None:
    async with open_database(settings.database.url.get_secret_value()) as database:
        await database.facts.call_rows(CallFilter(limit=1))


def _to_check(settings: Settings, node: NodeSettings) -> NodeToCheck:
    return NodeToCheck(
        account=account_of(node),
        trunk=node.default_trunk(),
        more_trunks=tuple(
            trunk.endpoint for trunk in node.all_trunks() if trunk.endpoint != node.default_trunk()
        ),
        message=settings.dialer.message,
        recordings=node.recordings,
        cel_file=node.cel / node.cel_file if node.cel else None,
    )
