"""CRMs that calls are written to, as far as the service must know them; and which work a call leaves for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cti.errors import NotFound
from cti.model.calls import ANSWERED_OUTCOMES, Call, Outcome
from cti.model.crm import CRM_PUSH, CallLog
from cti.model.work import NewWork

ASKED_FOR: Final = -100
_DISPOSED: Final = -101
_TALKED: Final = -102
_ANSWERED: Final = -103
_NOT_ANSWERED: Final = -104
"""Priorities. Below those of all other work: a CRM that is down leaves thousands of rows, and whoever has other work to
do must not read past them to find it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One account of one CRM."""

    name: str
    outcomes: frozenset[str] | None = None
    """Calls that are written; None: all."""
    settle: timedelta = timedelta(seconds=10)
    """Changes that follow each other within this are one write."""
    recording_url: str = ""
    """With `{call_id}`; empty: no link is written."""
    transcript: bool = False
    """The text is written, too."""
    look_up: bool = True
    """It is asked for numbers of which no record is known."""

    @property
    def kind(self) -> str:
        """Kind of its work."""
        return kind_of(self.name)

    def wants(self, outcome: str) -> bool:
        """Whether a call with this outcome is written."""
        return self.outcomes is None or outcome in self.outcomes

    def recording_of(self, log: CallLog) -> str | None:
        """Return where a call's recording is heard, None while there is none."""
        if not self.recording_url or log.recording_seconds is None:
            return None
        return self.recording_url.replace("{call_id}", log.call_id)


def unknown(name: str, names: Iterable[str]) -> NotFound:
    """Return the error that says that no CRM has this name, and which there are."""
    return NotFound(f"there is no CRM {name!r}; there are: {', '.join(names) or 'none'}")


def kind_of(target: str) -> str:
    """Return the kind of work of a target. Each has its own, so that one that is down holds up no other."""
    return CRM_PUSH + target


class CallFollowers:
    """The work that changes of calls leave behind, for all targets."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = tuple(targets)

    def ended(self, call: Call) -> tuple[NewWork, ...]:
        """Return it for a snapshot of a call; none while it is up."""
        if not call.ended or call.outcome is None:
            return ()
        outcome = call.outcome
        return self._works(call.id, call.ended_at or call.placed_at, _priority(outcome), outcome)

    def disposed(self, call: Call, at: datetime) -> tuple[NewWork, ...]:
        """Return it for a disposition. One set before the end goes with the end."""
        return self._works(call.id, at, _DISPOSED, call.outcome) if call.ended else ()

    def changed(self, call_id: str, at: datetime) -> tuple[NewWork, ...]:
        """Return it for what comes later: a recording, a transcript."""
        return self._works(call_id, at, _TALKED, None)

    def _works(
        self, call_id: str, at: datetime, priority: int, outcome: Outcome | None
    ) -> tuple[NewWork, ...]:
        return tuple(
            NewWork(
                kind=target.kind,
                key=call_id,
                payload={"call_id": call_id},
                due_at=at + target.settle,
                priority=priority,
            )
            for target in self._targets
            if outcome is None or target.wants(outcome)
        )


def _priority(outcome: Outcome) -> int:
    if outcome is Outcome.CONNECTED:
        return _TALKED
    return _ANSWERED if outcome in ANSWERED_OUTCOMES else _NOT_ANSWERED
