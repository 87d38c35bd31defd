"""Keeps worker processes running beside the daemon. A service; each worker is a `Child`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from cti.child import END_SECONDS, Child, next_pause
from cti.clock import Clock


class WorkerSupervisor:
    """Runs `count` children. Told to end, each is given time to hand its work back."""

    name = "transcription workers"

    def __init__(
        self,
        *,
        command: Sequence[str],
        environ: Mapping[str, str],
        count: int,
        clock: Clock,
        pause: Callable[..., float] = next_pause,
        end_seconds: float = END_SECONDS,
    ) -> None:
        """`environ` is added to this process's own."""
        self._children = [
            Child(
                name=f"transcription worker {number}",
                command=command,
                environ=environ,
                clock=clock,
                pause=pause,
                end_seconds=end_seconds,
            )
            for number in range(count)
        ]

    @property
    def begun(self) -> int:
        """Children begun so far, those begun again included."""
        return sum(child.begun for child in self._children)

    @property
    def alive(self) -> int:
        """How many run now."""
        return len(self.pids)

    @property
    def wanted(self) -> int:
        return len(self._children)

    @property
    def pids(self) -> list[int]:
        """Their process ids."""
        return [child.pid for child in self._children if child.pid is not None]

    async def run(self) -> None:
        """Keep them running until cancelled, then end them."""
        async with asyncio.TaskGroup() as tasks:
            for child in self._children:
                tasks.create_task(child.run(), name=child.name)
