"""Calls of which something may have been missed, and what their node's records make of them once they have ended. Pure.

Between a connect and the moment when all that is up was asked, messages come of calls whose last minutes nobody heard:
the end of a grace before the answer, a hang-up before either. Such a call is followed as well as can be, and when it
has ended its times and its outcome are taken from the records.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from cti.ami.outcomes import Circumstances
from cti.ami.settling import LegOf, settled
from cti.model.calls import Call
from cti.model.events import CallMoved, Event
from cti.model.stories import Story

LOOKS: Final = 10
"""How often the records are asked: Asterisk writes an end a moment after it told it."""


@dataclass(slots=True)
class Ended:
    """A call that ended, before and after what may have been missed."""

    before: Call
    heard: Call
    looks: int = 0


class HalfHeard:
    """The calls of one node that are to be checked."""

    def __init__(self) -> None:
        self._before: dict[str, Call] = {}
        self._ended: dict[str, Ended] = {}

    def watch(self, calls: Iterable[Call]) -> None:
        """From now on messages of these calls may be missing."""
        for call in calls:
            self._before.setdefault(call.id, call)

    def trust(self, call_id: str) -> None:
        """All is known of this call again."""
        self._before.pop(call_id, None)

    def note(self, event: Event) -> None:
        """Take note of an end."""
        if isinstance(event, CallMoved) and event.call.ended:
            before = self._before.pop(event.call.id, None)
            if before is not None:
                self._ended[event.call.id] = Ended(before, event.call)

    def due(self) -> list[Ended]:
        """List those whose records are to be asked; each so often at most."""
        for entry in self._ended.values():
            entry.looks += 1
        due = list(self._ended.values())
        self._ended = {key: entry for key, entry in self._ended.items() if entry.looks < LOOKS}
        return due

    def done(self, call_id: str) -> None:
        """The records were complete."""
        self._ended.pop(call_id, None)


def amended(entry: Ended, story: Story, leg_of: LegOf) -> Call:
    """Return the ended call as the records have it, with what was heard besides; `story` has its end."""
    heard = entry.heard
    known = settled(
        _with_verdict(entry.before, heard),
        story,
        restarted=False,
        now=heard.ended_at or entry.before.placed_at,
        leg_of=leg_of,
        seen=Circumstances(),
    )
    if len(heard.joins) > len(known.joins):
        return heard
    joins = heard.joins if len(heard.joins) == len(known.joins) else known.joins
    return replace(
        known,
        joins=joins,
        connected_at=joins[0].joined_at if joins else None,
        agent_id=heard.agent_id or known.agent_id,
        waiting_at=known.waiting_at or heard.waiting_at,
        message_played_at=heard.message_played_at,
        voicemail_at=known.voicemail_at or heard.voicemail_at,
        ended_at=heard.ended_at,
        ended_by=heard.ended_by if heard.answered_at is not None else known.ended_by,
        cause_text=heard.cause_text,
        sip_code=heard.sip_code,
    )


def _with_verdict(before: Call, heard: Call) -> Call:
    """Who answered decides the outcome: what was heard of it counts, whether the records have it or not."""
    if before.detected_at is not None or heard.detected_at is None:
        return before
    return replace(
        before,
        answered_by=heard.answered_by,
        detected_at=heard.detected_at,
        detection=heard.detection,
    )
