"""Records the streams of `scenarios` anew, on a lab of its own.

    .venv/bin/python -m tests.replay.record [--suffix=-on-20] [NAME ...]

Writes tests/replay/streams/NAME.jsonl. A story that does not come out as expected is told and not written. With another
Asterisk in the lab (WAIHU_CACHE names a folder that holds one as scripts/lab-tools unpacks it) a suffix keeps its
streams beside the others.
"""

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from cti.ami.panoramisk_client import AmiAccount
from cti.clock import SystemClock
from cti.model.calls import Call
from cti.model.events import LegGone, LegUp, NodeUp
from cti.model.stories import Story
from cti.node.cel import CelFolder
from lab import Lab, LabSettings
from lab.softphone import Behaviour, tone
from tests.replay.exchange import NODE, NoStories, an_exchange
from tests.replay.scenarios import SCENARIOS, Scenario, expected_on

STREAMS = Path(__file__).parent / "streams"
GIVEN = (
    "id",
    "node",
    "number",
    "placed_at",
    "trunk",
    "ring_seconds",
    "grace_seconds",
    "machines",
    "grace_start",
)


async def record(lab: Lab, scenario: Scenario) -> list[str]:
    """Play one story; return the lines of its file. Raises AssertionError when it comes out otherwise."""
    pbx = lab.pbx
    account = AmiAccount(node=NODE, host=pbx.host, port=pbx.ami_port, user=pbx.user, secret=pbx.secret)
    cel = CelFolder({NODE: pbx.cel / "cti.csv"})
    lines: list[str] = []
    began = SystemClock().now()
    async with lab.phones(1, Behaviour(voice=tone(1000))) as phones:
        stories = cel if scenario.reads_cel else NoStories()
        async with an_exchange(
            account, stories=stories, write=lines.append, retry_seconds=scenario.retry_seconds
        ) as exchange:
            call = await scenario.act(exchange, phones[0])
            legs = [type(event).__name__ for event in exchange.told if isinstance(event, LegUp | LegGone)]
            [version, *_] = [event.version for event in exchange.told if isinstance(event, NodeUp)]
            # What comes late belongs to the story: it must not hurt.
            await asyncio.sleep(0.5)
    expect = expected_on(scenario, version)
    got = {name: _plain(value) for name, value in outcome(call).items() if name in expect}
    assert got == expect, f"expected {expect}\nbut it was {got}"
    assert legs == scenario.legs, f"expected {scenario.legs} but it was {legs}"
    first = {
        "story": scenario.story,
        "asterisk": version,
        "began": began.isoformat(),
        "call": {name: _plain(getattr(call, name)) for name in GIVEN},
        "expect": expect,
        "legs": scenario.legs,
        "records": _records(await cel.of_channel(NODE, call.channel_id)) if scenario.reads_cel else None,
    }
    return [json.dumps(first, ensure_ascii=False) + "\n", *lines]


def outcome(call: Call) -> dict[str, Any]:
    """Return what expectations speak of: a call's fields, the number of its joins, whether a voicemail was left."""
    counted = {"joins": len(call.joins), "voicemail": call.voicemail_at is not None}
    return {each.name: getattr(call, each.name) for each in fields(call)} | counted


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, StrEnum) else value


def _records(story: Story | None) -> dict[str, Any] | None:
    return None if story is None else json.loads(json.dumps(asdict(story), default=_plain))


async def main(arguments: list[str]) -> int:
    suffix = "".join(each.removeprefix("--suffix=") for each in arguments if each.startswith("--suffix="))
    names = [each for each in arguments if not each.startswith("--")]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        async with Lab.open(LabSettings.free(Path(folder), rtp_timeout=3), report=print) as lab:
            for scenario in SCENARIOS:
                if names and scenario.name not in names:
                    continue
                try:
                    lines = await record(lab, scenario)
                except (AssertionError, TimeoutError) as error:
                    failed += 1
                    print(f"{scenario.name}: NOT AS EXPECTED: {error!r}")
                    continue
                text = "".join(lines)
                assert folder not in text, f"{scenario.name} names a folder of this machine"
                (STREAMS / f"{scenario.name}{suffix}.jsonl").write_text(text, encoding="utf-8")
                print(f"{scenario.name}: {len(lines)} lines")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
