"""Who somebody is in a CRM: asked there, and remembered for a while."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from cti.clock import Clock

log = logging.getLogger(__name__)

KEEP_SECONDS: Final = 3600.0
KEEP_ABSENT_SECONDS: Final = 300.0
"""Somebody who is not there may be added any minute."""


class Users:
    """Ids of users by e-mail; what holds no `@` is taken for an id and passes. Or, `by` id, e-mails."""

    def __init__(
        self,
        look: Callable[[str], Awaitable[str | None]],
        *,
        where: str,
        clock: Clock,
        by: Literal["e-mail", "id"] = "e-mail",
    ) -> None:
        """`look` asks the CRM; None: nobody has it. It raises CrmError."""
        self._look = look
        self._where = where
        self._clock = clock
        self._by = by
        self._known: dict[str, tuple[str | None, float]] = {}

    async def of(self, user: str | None) -> str | None:
        """Return the other name, None for nobody and for somebody who is not there, which the log says.

        Raises CrmError.
        """
        if user is None or (self._by == "e-mail" and "@" not in user):
            return user
        key = user.strip().lower()
        kept = self._known.get(key)
        if kept is not None and self._clock.monotonic() < kept[1]:
            return kept[0]
        found = await self._look(key)
        if found is None:
            log.warning("%s: users: nobody there has the %s %s", self._where, self._by, key)
        seconds = KEEP_ABSENT_SECONDS if found is None else KEEP_SECONDS
        self._known[key] = (found, self._clock.monotonic() + seconds)
        return found
