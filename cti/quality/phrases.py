"""Many phrases found in one pass: one compiled expression for all of them. Pure.

The phrases are laid out as a tree of their letters, so that a position of the text is looked at once however many
phrases there are. Overlapping ones are all found: after each find the search goes on with the next letter.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from cti.quality.wording import is_joined

BARRIER: Final = "\n"
"""Stands in a text where no phrase goes across."""
_NOTHING: Final = re.compile(r"(?!)")
_END: Final = ""
"""In the tree: a phrase ends here."""
_OUTSIDE: Final = f"[^ {BARRIER}]"

_Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One phrase in the text, letters `start` to `end`."""

    phrase: str
    start: int
    end: int


class PhraseFinder:
    """Finds all of its phrases in texts that `wording.joined` made."""

    def __init__(self, phrases: Collection[str]) -> None:
        """`phrases`: as `wording.joined` makes them; none empty."""
        known = set(phrases)
        tree: _Tree = {}
        for phrase in known:
            branch = tree
            for letter in phrase:
                branch = branch.setdefault(letter, {})
            branch[_END] = {}
        self._expression = re.compile(_roots(tree)) if known else _NOTHING
        self._within = {phrase: _beginnings(phrase, known) for phrase in known}
        """By the longest phrase at a place: all phrases that begin there."""

    def find(self, text: str) -> Iterator[Found]:
        """Give every phrase that stands in the text, by where it begins, the longest first."""
        search = self._expression.search
        match = search(text)
        while match:
            start = match.start()
            for phrase in self._within[match.group()]:
                yield Found(phrase, start, start + len(phrase))
            match = search(text, start + 1)


def _beginnings(phrase: str, known: Collection[str]) -> tuple[str, ...]:
    ends = (
        end
        for end in range(len(phrase), 0, -1)
        if end == len(phrase) or is_joined(phrase[end - 1]) or phrase[end] == " "
    )
    return tuple(phrase[:end] for end in ends if phrase[:end] in known)


def _roots(tree: _Tree) -> str:
    """The first letter goes first, before any look behind: `re` then skips quickly to where one can begin."""
    return "|".join(
        re.escape(letter)
        + ("" if is_joined(letter) else f"(?<!{_OUTSIDE}{re.escape(letter)})")
        + _branches(branch, letter)
        for letter, branch in sorted(tree.items())
    )


def _branches(tree: _Tree, before: str) -> str:
    longer = [
        re.escape(letter) + _branches(branch, letter)
        for letter, branch in sorted(tree.items())
        if letter != _END
    ]
    if _END in tree:  # last: the longest phrase is tried first
        longer.append("" if is_joined(before) else f"(?!{_OUTSIDE})")
    return longer[0] if len(longer) == 1 else f"(?:{'|'.join(longer)})"
