"""Draws last week's sample by itself, once the week is over."""

import logging
from typing import Final

from cti.errors import StorageError
from cti.quality.queue_desk import QueueDesk
from cti.service import every

log = logging.getLogger(__name__)

_HOUR_SECONDS: Final = 3600.0


class Sampler:
    """The service that draws. Drawing twice adds nothing, so that it keeps no memory."""

    name = "review sampler"

    def __init__(self, *, queue: QueueDesk, quota: int) -> None:
        """`quota`: calls of each agent; 0 draws nothing."""
        self._queue = queue
        self._quota = quota

    async def run(self) -> None:
        """Look once an hour."""
        await every(_HOUR_SECONDS, self.step, name=self.name)

    async def step(self) -> None:
        """Draw the last week that is over."""
        if self._quota == 0:
            return
        try:
            drawn = await self._queue.draw(quota=self._quota)
        except StorageError as error:
            log.warning("no sample is drawn while the database is away: %s", error)
            return
        if drawn.added:
            log.info("%d calls of %s were drawn for review", drawn.added, drawn.week)
