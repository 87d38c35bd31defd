"""Ends calls as fast as they can be stored, until it is killed: `python -m tests.integration.hook_process FOLDER`."""

import asyncio
import sys
from itertools import count
from pathlib import Path

from tests.integration.hook_house import a_house, story


async def main(folder: Path) -> None:
    async with a_house(folder) as house:
        for number in count():
            print(number, flush=True)  # so many are stored
            house.bus.publish(story()[-1])
            await house.journal.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
