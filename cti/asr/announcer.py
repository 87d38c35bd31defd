"""Tells that a call has a new transcript: a handler for work of kind `transcript.tell`.

Transcripts are stored by whoever has the work: the service itself, or a worker on another machine straight into the
database. The work that is written with them comes back here, so that each is told, wherever it was made.
"""

from cti.asr.ports import TranscriptStore
from cti.bus import EventBus
from cti.clock import Clock
from cti.model.events import TranscriptReady
from cti.model.work import TELL_TRANSCRIPT, NewWork, Work


def tell_work(call_id: str) -> NewWork:
    """Return the work; whoever stores a transcript writes it in the same transaction."""
    return NewWork(kind=TELL_TRANSCRIPT, key=call_id, payload={"call_id": call_id}, priority=1)


class Announcer:
    """Publishes `TranscriptReady`."""

    def __init__(self, *, store: TranscriptStore, bus: EventBus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def tell(self, work: Work) -> None:
        """Tell the newest version; nothing when it was forgotten meanwhile. Raises StorageError."""
        newest = next(iter(await self._store.versions(work.key)), None)
        if newest is not None:
            self._bus.publish(
                TranscriptReady(
                    call_id=newest.call_id,
                    version=newest.version,
                    model=newest.model,
                    language=newest.language,
                    at=self._clock.now(),
                )
            )
