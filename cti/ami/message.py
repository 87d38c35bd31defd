"""One AMI message as it came: its headers, in order, none lost. What they mean is said by `signals`."""

from collections.abc import Iterator, Mapping
from typing import Final

EOL: Final = "\r\n"
_MARK: Final = ": "


class Message(Mapping[str, str]):
    """The headers of one message, names in Asterisk's own spelling. A header that comes twice gives its first value.

    Asterisk writes its own headers before those of a dialplan's UserEvent, so the first value is the trustworthy one.
    """

    __slots__ = ("_headers", "lines")

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        """The raw header lines; not to be changed."""
        headers = {name: value for name, _, value in [line.partition(_MARK) for line in lines]}
        if len(headers) != len(lines):
            headers = {name: value for name, _, value in [line.partition(_MARK) for line in reversed(lines)]}
        self._headers = headers

    @classmethod
    def of(cls, headers: Mapping[str, str | list[str]]) -> "Message":
        """Make a message from headers; a list stands for a repeated one."""
        lines: list[str] = []
        for name, value in headers.items():
            lines.extend(name + _MARK + each for each in (value if isinstance(value, list) else [value]))
        return cls(lines)

    def __getitem__(self, name: str) -> str:
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def __repr__(self) -> str:
        return f"Message({self._headers!r})"

    def text(self, name: str) -> str:
        """Return a header's value, empty when it is not there. The quick way in the hot path."""
        return self._headers.get(name, "")

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a repeated header, in order."""
        start = name + _MARK
        return tuple(line[len(start) :] for line in self.lines if line.startswith(start))

    @property
    def refused(self) -> bool:
        """Whether this is the answer to an action that Asterisk did not carry out."""
        return self._headers.get("Response") in {"Error", "Fail", "Failure"}


def parse(block: str) -> Message | None:
    """Return the message of one block (between two empty lines), None for the banner, blanks and noise."""
    lines = block.strip(EOL).split(EOL)
    if lines[0].startswith("Asterisk Call Manager/"):
        lines = lines[1:]
    if not lines or not lines[0].startswith(("Event: ", "Response: ")):
        return _late_start(lines)
    return Message(lines)


def _late_start(lines: list[str]) -> Message | None:
    """Asterisk begins a message with Event or Response; a module that does not is still understood."""
    message = Message([line for line in lines if line])
    return message if "Event" in message or "Response" in message else None
