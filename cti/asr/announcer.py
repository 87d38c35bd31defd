"""Tells that a call has a new transcript: a handler for work of kind `transcript.tell`.

Transcripts are stored by whoever has the work: the service itself, or a worker on another machine straight into the
database. The work that is written with them comes back here, so that each is told, wherever it was made: whoever
stores one knows no webhooks. What webhooks are to hear is written before this work is done, so a kill loses nothing.
"""

from collections.abc import Awaitable, Callable

from cti.asr.ports import TranscriptStore
from cti.bus import EventBus
from cti.clock import Clock
from cti.model.events import TranscriptReady
from cti.model.telling import Tell, tell_nobody
from cti.model.work import TELL_TRANSCRIPT, NewWork, Work
from cti.work.ports import WorkStore


def tell_work(call_id: str) -> NewWork:
    """Return the work; whoever stores a transcript writes it in the same transaction."""
    return NewWork(kind=TELL_TRANSCRIPT, key=call_id, payload={"call_id": call_id}, priority=1)


class Announcer:
    """Publishes `TranscriptReady`."""

    def __init__(
        self,
        *,
        store: TranscriptStore,
        works: WorkStore,
        bus: EventBus,
        clock: Clock,
        campaign_of: Callable[[str], Awaitable[int | None]],
        tell: Tell = tell_nobody,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        """`campaign_of` returns the campaign of a call. `on_work` hears when `tell` left work behind."""
        self._store = store
        self._works = works
        self._bus = bus
        self._clock = clock
        self._campaign_of = campaign_of
        self._tell = tell
        self._on_work = on_work

    async def tell(self, work: Work) -> None:
        """Tell the newest version; nothing when it was forgotten meanwhile. Raises StorageError."""
        newest = next(iter(await self._store.versions(work.key)), None)
        if newest is None:
            return
        ready = TranscriptReady(
            call_id=newest.call_id,
            version=newest.version,
            model=newest.model,
            language=newest.language,
            # when it was made, not now: told again after a kill, it has the same id
            at=newest.made_at,
            campaign_id=await self._campaign_of(newest.call_id),
        )
        if told := self._tell(ready):
            await self._works.add(told, now=self._clock.now())
            self._on_work()
        self._bus.publish(ready)
