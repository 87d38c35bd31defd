"""Says in the log what holds a service up: once, not with every try, and once that it goes on."""

import logging


class Trouble:
    """What holds up one service, as it was said last."""

    def __init__(self, log: logging.Logger, who: str) -> None:
        self._log = log
        self._who = who
        self._said = ""

    def tell(self, said: str) -> None:
        """Say what it is; empty: there is none."""
        if said and said != self._said:
            self._log.warning("%s: %s", self._who, said)
        elif not said and self._said:
            self._log.info("%s: goes on", self._who)
        self._said = said
