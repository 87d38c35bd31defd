"""The suite in two parts that run side by side: what each runs, what of its output is shown when, the sum of both.

Starts nothing; see `__main__`.
"""

import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

NOT_SOAK: Final = "not soak"
WIDTH: Final = 80
COUNTED: Final = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
"""What pytest counts, in the order in which it is told."""
_RULE: Final = re.compile(r"^=+ (?!test session starts)")
_NO_SUMMARY: Final = 3
"""pytest's own status for an error in itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the tests, in a process of their own."""

    name: str
    marks: str
    """Which of the tests, as pytest's `-m` takes it. Together the parts take each test once."""
    patient: bool = False
    """Takes only what the others leave of the processors, and so may be slow."""
    options: tuple[str, ...] = ()


PARTS: Final = (
    Part(name="lab", marks=f"lab and {NOT_SOAK}"),
    # Four times the limit of pyproject.toml: a patient test waits for processors, not only for what it tests.
    Part(name="rest", marks=f"not lab and {NOT_SOAK}", patient=True, options=("--timeout=960",)),
)
"""Calls with a real voice on a real Asterisk mostly wait; all others compute, and must not hurt them."""


def alone(arguments: Sequence[str]) -> list[str]:
    """Return the command that runs the suite in one process, with these arguments of the caller's."""
    return [sys.executable, "-m", "pytest", "-m", NOT_SOAK, *arguments]


def command(part: Part, tally: Path) -> list[str]:
    """Return the command that runs a part and leaves its tally in that file.

    The cache is off because both would write it, each without what the other found.
    """
    own = ["-v", "--no-header", "--durations=15", "--durations-min=3", "-p", "no:cacheprovider"]
    ours = ["-p", "scripts.suite.tally", f"--tally={tally}"]
    return [sys.executable, "-u", "-m", "pytest", "-m", part.marks, *own, *ours, *part.options]


class Telling:
    """What a part says: its progress is for now, all from the first heading on is for when it has ended."""

    def __init__(self) -> None:
        self._begun = ""
        self._ended: list[str] = []

    def hear(self, text: str) -> list[str]:
        """Take more of its output and return the lines of progress that are whole now."""
        *lines, self._begun = (self._begun + text).split("\n")
        now = []
        for line in lines:
            if self._ended or _RULE.match(line):
                self._ended.append(line)
            elif line.strip():
                now.append(line)
        return now

    @property
    def begun(self) -> str:
        """The line that is not whole yet."""
        return "" if self._ended else self._begun

    def rest(self) -> list[str]:
        """Return what was not shown: failures, warnings, the slowest, pytest's own last line."""
        return [*self._ended, *([self._begun] if self._begun.strip() else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the tests of a part ended."""

    counts: Mapping[str, int]
    bad: Sequence[tuple[str, str]] = ()
    """Test and first line of what went wrong."""
    skips: Mapping[str, int] = field(default_factory=dict)
    """Reasons, and how many tests were skipped for each."""
    processor_seconds: float = 0.0
    """What they and all that they started have used."""

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> "Tally":
        """Read what `told` wrote."""
        return cls(
            counts=found["counts"],
            bad=[(test, why) for test, why in found["bad"]],
            skips=found["skips"],
            processor_seconds=found["processor_seconds"],
        )

    def told(self) -> dict[str, object]:
        """Return it as JSON's values."""
        return {
            "counts": dict(self.counts),
            "bad": [list(one) for one in self.bad],
            "skips": dict(self.skips),
            "processor_seconds": self.processor_seconds,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A part that has ended."""

    part: Part
    status: int
    """As the shell knows it: 128 and the signal's number for one that was killed."""
    seconds: float
    tally: Tally | None
    """None: it died before it could say."""


def shell_status(returncode: int) -> int:
    """Return the status of a process as a shell tells it."""
    return returncode if returncode >= 0 else 128 - returncode


def status(ended: Iterable[Ended]) -> int:
    """Return the worst of all; a part without a tally never counts as well."""
    return max((_status(one) for one in ended), default=0)


def _status(one: Ended) -> int:
    return max(one.status, _NO_SUMMARY) if one.tally is None else one.status


def summary(ended: Sequence[Ended]) -> Iterator[str]:
    """Say how all ended: the counts of each part, why tests were skipped, what failed, how to run that again."""
    yield heading("both parts")
    for one in ended:
        used = f", {_minutes(one.tally.processor_seconds)} of a processor" if one.tally else ""
        yield f"{one.part.name:5} {_counted(one)} in {_minutes(one.seconds)}{used}"
    if len(ended) > 1:
        total = sum((Counter(one.tally.counts) for one in ended if one.tally), Counter[str]())
        yield f"{'sum':5} {_words(total)}"
    skips = sum((Counter(one.tally.skips) for one in ended if one.tally), Counter[str]())
    for reason, count in sorted(skips.items()):
        yield f"skipped {count}: {reason}"
    bad = [found for one in ended if one.tally for found in one.tally.bad]
    for test, why in bad:
        yield f"FAILED {test}: {why}" if why else f"FAILED {test}"
    if bad:
        yield "again: make test ARGS=" + shlex.quote(shlex.join(test for test, _ in bad))


def heading(text: str) -> str:
    """Return a line across the screen with this text in its middle."""
    return f" {text} ".center(WIDTH, "=")


def _counted(one: Ended) -> str:
    if one.tally is None:
        return f"ended with status {one.status} and no summary"
    return _words(one.tally.counts) + (f" (status {one.status})" if one.status else "")


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[kind]} {kind}" for kind in COUNTED if counts.get(kind)) or "no tests"


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
