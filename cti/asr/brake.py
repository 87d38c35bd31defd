"""Holds the threads of a worker between two blocks of sound: paused while live calls need the machine, or ended.

The only thing that the event loop and the threads share. A thread passes here some times for each second of sound.
"""

import threading
import time
from collections.abc import Callable

from cti.errors import CtiError, TooSlow


class Stopped(CtiError):
    """The worker is told to end; the work goes back."""


class Brake:
    """Open, drawn (threads wait), or ended (threads raise Stopped)."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._drawn = False
        self._ended = False

    @property
    def drawn(self) -> bool:
        return self._drawn

    def set(self, drawn: bool) -> None:
        """Draw or release it."""
        with self._changed:
            self._drawn = drawn
            self._changed.notify_all()

    def end(self) -> None:
        """Have every thread that passes, or waits, raise Stopped."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def passed(self) -> float:
        """Wait while it is drawn; return the seconds that took. Raises Stopped."""
        if not self._drawn and not self._ended:  # read without the lock: the next block sees a change
            return 0.0
        begun = time.monotonic()
        with self._changed:
            self._changed.wait_for(lambda: self._ended or not self._drawn)
            if self._ended:
                raise Stopped("the worker is told to end")
        return time.monotonic() - begun


def still(
    brake: Brake, *, most_seconds: float, monotonic: Callable[[], float] = time.monotonic
) -> Callable[[], None]:
    """Return what a run calls between two stretches of sound: it waits while the brake is drawn.

    The time spent waiting does not count against the limit. The returned function raises Stopped, TooSlow.
    """
    end = monotonic() + most_seconds

    def passing() -> None:
        nonlocal end
        end += brake.passed()
        if monotonic() > end:
            raise TooSlow(f"the recording was not transcribed within {most_seconds:.0f} s")

    return passing
