"""The one place where an action is checked before it may become bytes on the AMI socket."""

import re
from collections.abc import Mapping
from typing import Final

from cti.errors import BadInput, ControlCharacter

Action = Mapping[str, str | list[str]]
"""An AMI action: header name -> value, a list for a repeated header (`Variable`). `ActionID` is made when missing."""

LONGEST_LINE: Final = 1000
"""Asterisk's manager.c reads lines into 1025 bytes and throws a longer one away with a warning in its log."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def checked(action: Action) -> Action:
    """Return the action when each header is one line that Asterisk will read as it is meant.

    Raises ControlCharacter, which names the header: CR or LF in a value would make headers or a second action of it.
    Raises BadInput for a wrong header name, a value that is not valid Unicode, and a line too long for Asterisk.
    """
    for name, value in action.items():
        if not _NAME.fullmatch(name):
            raise BadInput(f"{name!r} is no name of an AMI header")
        for each in value if isinstance(value, list) else (value,):
            _check(name, each)
    return action


def _check(name: str, value: str) -> None:
    found = _CONTROL.search(value)
    if found:
        raise ControlCharacter(
            f"the AMI header {name} holds the control character U+{ord(found[0]):04X}; it was not sent"
        )
    try:
        size = len(value.encode())
    except UnicodeEncodeError as wrong:
        raise BadInput(f"the AMI header {name} is not valid Unicode; it was not sent") from wrong
    if len(name) + size + 2 > LONGEST_LINE:
        raise BadInput(f"the AMI header {name} is {size} bytes long; Asterisk reads {LONGEST_LINE} at most")
