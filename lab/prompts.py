"""Real sentences whose text is known: Asterisk's English prompts, from the folder that scripts/lab-tools unpacks.

What the persons of the simulated network say is made of them (`said-0` to `said-4`, `said-rep`).
"""

import gzip
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from lab.errors import NotPrepared
from lab.installation import cache_folder

PROMPTS: Final = "prompts-1"
"""The folder in the cache; scripts/lab-tools makes it under the same name."""
VOICE: Final = "en_US_f_Allison"
SAID: Final[Mapping[str, tuple[str, ...]]] = {
    "said-0": ("vm-sorry", "privacy-prompt", "please-try-call-later"),
    "said-1": ("number-not-answering", "check-number-dial-again"),
    "said-2": ("vm-nobodyavail", "vm-msgforwarded", "demo-thanks"),
    "said-3": ("confbridge-only-participant", "vm-passchanged"),
    "said-4": ("demo-nomatch", "invalid"),
    "said-rep": ("queue-youarenext", "privacy-prompt", "pls-hold-while-try"),
}
"""By sound, the prompts that it is made of; scripts/lab-tools has the same."""
_LINE: Final = re.compile(r"(?P<name>[A-Za-z0-9_/-]+): *(?P<text>.+)")


def prompt_texts() -> Mapping[str, str]:
    """Return what is said, by prompt. Raises NotPrepared when they were not fetched."""
    return _texts(_share() / "doc")


def prompt_file(name: str, suffix: str = "wav") -> Path:
    """Return a prompt's file: `wav` has 8 kHz, `g722` 16 kHz. Raises NotPrepared."""
    file = _share() / "asterisk" / "sounds" / VOICE / f"{name}.{suffix}"
    if not file.is_file():
        raise NotPrepared(f"there is no prompt {file}: run scripts/lab-tools")
    return file


def _share() -> Path:
    return cache_folder() / PROMPTS / "usr" / "share"


@cache
def _texts(folder: Path) -> Mapping[str, str]:
    files = sorted(folder.glob("asterisk-core-sounds-en*/core-sounds-en.txt*"))
    if not files:
        raise NotPrepared(f"the texts of Asterisk's prompts are not in {folder}: run scripts/lab-tools")
    opened = gzip.open if files[0].suffix == ".gz" else open
    with opened(files[0], "rt", encoding="utf-8", errors="replace") as lines:
        found = (_LINE.fullmatch(line.strip()) for line in lines)
        return {match["name"]: match["text"] for match in found if match}
