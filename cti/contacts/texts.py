"""Text from outside: what may stand where, and how it is told. Pure."""

import re
from typing import Final

from cti.errors import BadInput
from cti.model.contacts import RowRefused
from cti.model.imports import RefusalCode

LINE_LENGTH: Final = 200
FIELD_LENGTH: Final = 4000

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What breaks a line or commands a terminal: Unicode's Cc, Zl, Zp."""


class BadCell(BadInput):
    """Something in a row is refused, for a reason that can be counted."""

    def __init__(self, message: str, code: RefusalCode) -> None:
        super().__init__(message)
        self.code = code

    def at(self, line: int) -> RowRefused:
        """Return it as the refusal of a row."""
        return RowRefused(line=line, reason=str(self), code=self.code)


def one_line(text: str, what: str) -> str:
    """Return a name, a reference or the like. Raises BadCell: too long, or a control character."""
    if len(text) > LINE_LENGTH:
        raise BadCell(f"{what}: longer than {LINE_LENGTH} characters", RefusalCode.BAD_TEXT)
    return _harmless(text, text, what)


def some_lines(text: str, what: str) -> str:
    """Return the text of a further column, which may have several lines. Raises BadCell."""
    if len(text) > FIELD_LENGTH:
        raise BadCell(f"{what}: longer than {FIELD_LENGTH} characters", RefusalCode.BAD_TEXT)
    return _harmless(text, text.replace("\n", "").replace("\t", ""), what)


def _harmless(text: str, looked_at: str, what: str) -> str:
    if found := _CONTROL.search(looked_at):
        raise BadCell(f"{what}: a control character (U+{ord(found[0]):04X})", RefusalCode.BAD_TEXT)
    return text


def has_control(text: str) -> bool:
    """Whether a control character stands in it."""
    return _CONTROL.search(text) is not None


def shown(text: str) -> str:
    """Return text from outside fit for a message: quoted, control characters escaped, at most 40 characters."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
