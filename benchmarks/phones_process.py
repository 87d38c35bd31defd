"""Reps' softphones of `screen_pop`, in a process of their own: their sound must not cost the measuring one anything."""

import argparse
import asyncio
from contextlib import suppress

from benchmarks.child import answer, questions
from lab.softphone import Softphone


async def main(given: argparse.Namespace) -> None:
    """Register phones that answer at once, and wait for the end."""
    async with Softphone.open(port=0, stranger=None) as phone:
        names = [f"a{n:03d}" for n in range(1, given.phones + 1)]
        lines = [phone.add_line(name, f"secret-{name}", (given.host, given.port)) for name in names]
        await asyncio.gather(*(line.register() for line in lines))
        answer({"ready": True})
        async for _ in questions():
            pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--phones", type=int, required=True)
    with suppress(KeyboardInterrupt):
        asyncio.run(main(parser.parse_args()))
