"""Who somebody is in a CRM: asked there, and remembered for a while."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from cti.clock import Clock

log = logging.getLogger(__name__)

KEEP_SECONDS: Final = 3600.0
KEEP_ABSENT_SECONDS: Final = 300.0
"""Somebody who is not there may be added any minute."""


def is_email(user: str) -> bool:
    """Whether a text is an e-mail, and no id."""
    return "@" in user


def is_number(user: str) -> bool:
    """Whether a text is a telephone number of at least seven digits, and no id."""
    digits = user.removeprefix("+")
    return digits.isdecimal() and len(digits) >= 7


def is_id(_: str) -> bool:
    """Whether a text is an id: each is."""
    return True


class Users:
    """What somebody is called there, by what we know of him: his e-mail, his number, his id. All else passes."""

    def __init__(
        self,
        look: Callable[[str], Awaitable[str | None]],
        *,
        where: str,
        clock: Clock,
        by: Callable[[str], bool] = is_email,
    ) -> None:
        """`look` asks the CRM; None: nobody is there. It raises CrmError. `by`: what is asked for."""
        self._look = look
        self._where = where
        self._clock = clock
        self._by = by
        self._known: dict[str, tuple[str | None, float]] = {}

    async def of(self, user: str | None) -> str | None:
        """Return the other name, None for nobody and for somebody who is not there, which the log says.

        Raises CrmError.
        """
        if user is None or not self._by(user):
            return user
        key = user.strip().lower()
        kept = self._known.get(key)
        if kept is not None and self._clock.monotonic() < kept[1]:
            return kept[0]
        found = await self._look(key)
        if found is None:
            log.warning("%s: users: nobody is there who has %s", self._where, key)
        seconds = KEEP_ABSENT_SECONDS if found is None else KEEP_SECONDS
        self._known[key] = (found, self._clock.monotonic() + seconds)
        return found
