"""Events as work for those outside who must hear of them, written in the transaction of what the events tell."""

from collections.abc import Callable, Sequence

from cti.model.events import Event
from cti.model.work import NewWork

Tell = Callable[[Event], Sequence[NewWork]]
"""Return the work that an event leaves behind. Waits for nothing, raises nothing, and changes nothing."""


def tell_nobody(event: Event) -> Sequence[NewWork]:
    """Leave no work behind."""
    return ()
