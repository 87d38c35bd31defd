"""Plays a recorded stream to a listener: an `AmiClient` whose Asterisk is a file."""

from datetime import datetime, timedelta
from typing import Any

from cti.ami.actions import Action
from cti.ami.message import Message
from cti.ami.ports import Connected, Gap, Happening, Lost
from cti.errors import NodeDown, NodeSilent
from tests.fakes.clock import FakeClock

Line = dict[str, Any]


class ReplayClient:
    """Gives what came in the order it came, and to questions the answers they had. Time is the stream's."""

    node = "pbx"

    def __init__(self, lines: list[Line], clock: FakeClock, began: datetime) -> None:
        self._lines = lines
        self._clock = clock
        self._began = began
        self._at = 0
        self._heard_until = 0
        self.connected = True

    def peek(self) -> Line | None:
        """Return the line that comes next, None at the end."""
        self._skip()
        return self._lines[self._at] if self._at < len(self._lines) else None

    def skip(self) -> None:
        """Pass over the next line."""
        self._pass(self._lines[self._at])
        self._at += 1

    async def next(self) -> Happening:
        line = self.peek()
        assert line is not None, "the listener wants more than the stream has"
        self.skip()
        happening = _happening(line)
        self.connected = not isinstance(happening, Lost)
        return happening

    def pending(self) -> int:
        """Count what had come when the last question was answered."""
        return sum(_is_happening(line) for line in self._lines[self._at : self._heard_until])

    async def send(self, action: Action) -> Message:
        return (await self.send_all(action))[0]

    async def send_all(self, *actions: Action) -> list[Message]:
        answers = [self._ask(str(action["Action"])) for action in actions]
        return [Message(answer[0] if answer else ["Response: Success"]) for answer in answers]

    async def collect(self, action: Action) -> list[Message]:
        return [Message(lines) for lines in self._ask(str(action["Action"])) or []]

    def _ask(self, name: str) -> list[list[str]] | None:
        """Return the answer that follows in the stream, None when the connection was lost before it."""
        if not self.connected:
            raise NodeDown("the stream was not connected here")
        for place in range(self._at, len(self._lines)):
            line = self._lines[place]
            if "lost" in line:
                self._heard_until = place + 1
                self.connected = False
                raise NodeSilent("the connection was lost before the answer")
            if line.get("asked") == name:
                line["asked"] = None
                self._pass(line)
                self._heard_until = max(self._heard_until, place)
                answers: list[list[str]] = line["answers"]
                return answers
        return None

    def _skip(self) -> None:
        while self._at < len(self._lines) and self._lines[self._at].get("asked", "") is None:
            self._at += 1

    def _pass(self, line: Line) -> None:
        now = self._began + timedelta(seconds=line["at"])
        self._clock.advance(max(0.0, (now - self._clock.now()).total_seconds()))


def _is_happening(line: Line) -> bool:
    return not {"asked", "ordered"} & line.keys()


def _happening(line: Line) -> Happening:
    if "message" in line:
        return Message(line["message"])
    if "lost" in line:
        return Lost(reason=line["lost"])
    return Gap(missed=line["gap"]) if "gap" in line else Connected()
