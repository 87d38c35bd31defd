"""Collects recordings and stores transcripts as fast as it can, until it is killed: `... hook_sounds FOLDER`."""

import asyncio
import sys
from itertools import count
from pathlib import Path
from typing import Final

from cti.asr.announcer import tell_work
from cti.clock import SystemClock
from cti.model.work import COLLECT_RECORDING, Work
from cti.recording.archive import Archive
from cti.recording.collector import RecordingCollector
from cti.recording.plan import ArchivePlan
from tests.integration.hook_house import House, a_house, story
from tests.talk import C, a_transcript, said

SOUND: Final = bytes(64_000)
"""Two seconds."""


async def main(folder: Path) -> None:
    async with a_house(folder) as house:
        collector = RecordingCollector(
            store=house.database.recordings,
            archive=Archive.open(ArchivePlan(folder=folder / "kept")),
            bus=house.bus,
            clock=SystemClock(),
            raw_folders={"pbx": folder / "raw"},
            settle_seconds=0.0,
            tell=house.book.tell,
            on_work=house.work.wake,
        )
        for number in count():
            print(number, flush=True)  # so many are stored
            await one_call(house, collector, folder / "raw", number + 1)


async def one_call(house: House, collector: RecordingCollector, raw: Path, number: int) -> None:
    ended = story()[-1]
    call = ended.call
    house.bus.publish(ended)
    await house.journal.flush()
    name = f"{ended.at:%Y/%m/%d}/{call.id}"
    file = raw / f"{name}.raw"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(SOUND)
    moment = ended.at.isoformat()
    payload = {"call_id": call.id, "node": "pbx", "name": name, "answered_at": moment, "ended_at": moment}
    work = Work(
        id=number,
        kind=COLLECT_RECORDING,
        key=call.id,
        version=1,
        payload=payload,
        attempts=1,
        lease="",
        leased_until=ended.at,
    )
    await collector.collect(work)
    transcript = a_transcript(call.id, [said(C, "good morning")], made_at=SystemClock().now())
    await house.database.transcripts.save(transcript, [tell_work(call.id)])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
