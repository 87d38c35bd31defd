"""The simulated reps: who is free, reserved, talking, writing."""

from collections import deque

from cti.pacing.floor import Busy
from cti.simulate.record import Record


class Reps:
    """Keeps the reps' states and books their time."""

    def __init__(self, count: int, record: Record) -> None:
        self.idle: deque[int] = deque(range(count))
        """Free and not reserved, the longest free first."""
        self.talking: dict[int, Busy] = {}
        self.wrapping: dict[int, Busy] = {}
        self._with_machine: set[int] = set()
        self._free_since = [0.0] * count
        self._record = record

    def take(self) -> int | None:
        """Return the longest free rep, who is free no more; None: nobody is."""
        return self.idle.popleft() if self.idle else None

    def give_back(self, rep: int) -> None:
        """End a reservation that came to nothing."""
        self.idle.append(rep)

    def talks(self, rep: int, now: float, *, machine: bool) -> None:
        """Begin a conversation of a rep who was taken before."""
        self._record.idle.append(now - self._free_since[rep])
        self.talking[rep] = Busy(since=now)
        if machine:
            self._with_machine.add(rep)

    def writes(self, rep: int, now: float) -> float:
        """End the conversation; return its length."""
        seconds = now - self.talking.pop(rep).since
        self._book_talk(rep, seconds)
        self._with_machine.discard(rep)
        self.wrapping[rep] = Busy(since=now)
        return seconds

    def is_free(self, rep: int, now: float) -> float:
        """End the wrap-up; return its length."""
        seconds = now - self.wrapping.pop(rep).since
        self._record.wrap_up += seconds
        self._free_since[rep] = now
        self.idle.append(rep)
        return seconds

    def close(self, now: float) -> None:
        """Book what still runs at the end of the shift."""
        for rep, busy in self.talking.items():
            self._book_talk(rep, now - busy.since)
        self._record.wrap_up += sum(now - busy.since for busy in self.wrapping.values())

    def _book_talk(self, rep: int, seconds: float) -> None:
        if rep in self._with_machine:
            self._record.machine_talk += seconds
        else:
            self._record.talk += seconds
