"""Which Asterisk the lab runs: the machine's own when it is new enough, else the one `scripts/lab-tools` unpacked.

The unpacked one is started by its own dynamic loader with its own libraries. So it needs no chroot, no mounts and no
rights, sees the same paths as everybody else, and leaves nothing behind.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from lab.errors import NotPrepared

ASTERISK: Final = "asterisk-1"
SOUNDS: Final = "sounds-4"
"""Folders in the cache; scripts/lab-tools makes them under the same names."""
NEW_ENOUGH: Final = {22: 7, 23: 1}
"""Major version to its first minor one with `TechCause` on the Hangup event. Newer majors have it, older ones not."""

_DIRECTORY = re.compile(r"^\s*(ast\w+dir)\s*=>?\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An Asterisk that can be started."""

    command: tuple[str, ...]
    """What to run, before Asterisk's own arguments."""
    modules: Path
    share: Path
    """Documentation (Asterisk does not start without it), keys and the language's prompts."""
    sounds: Path
    """The voices of the simulated network."""


def cache_folder() -> Path:
    """Return where prepared things are kept: WAIHU_CACHE, else the user's cache."""
    if own := os.environ.get("WAIHU_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "waihu"


@cache
def find_installation() -> Installation:
    """Return the Asterisk to use. Raise NotPrepared when there is none, or no sounds."""
    sounds = cache_folder() / SOUNDS
    if not sounds.is_dir():
        raise NotPrepared(f"the lab's sounds are not in {sounds}: run scripts/lab-tools")
    return _installed(sounds) or _unpacked(sounds)


def is_new_enough(version: str) -> bool:
    """Say whether this answer of `asterisk -V` is of a version with TechCause."""
    found = re.search(r"(\d+)\.(\d+)", version)
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    return major > max(NEW_ENOUGH) or minor >= NEW_ENOUGH.get(major, minor + 1)


def _installed(sounds: Path) -> Installation | None:
    program = shutil.which("asterisk", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    version = subprocess.run([program, "-V"], capture_output=True, text=True, check=False).stdout
    if not is_new_enough(version):
        return None
    conf = Path("/etc/asterisk/asterisk.conf")
    told = dict(_DIRECTORY.findall(conf.read_text())) if conf.is_file() and os.access(conf, os.R_OK) else {}
    modules = _first(
        told.get("astmoddir"),
        *Path("/usr/lib").glob("*/asterisk/modules"),
        "/usr/lib/asterisk/modules",
        "/usr/lib64/asterisk/modules",
    )
    share = _first(told.get("astdatadir"), "/usr/share/asterisk", "/var/lib/asterisk")
    return Installation(command=(program,), modules=modules, share=share, sounds=sounds)


def _first(*folders: str | Path | None) -> Path:
    there = [Path(folder) for folder in folders if folder and Path(folder).is_dir()]
    if not there:
        raise NotPrepared(f"the installed Asterisk has none of the folders {', '.join(map(str, folders))}")
    return there[0]


def _unpacked(sounds: Path) -> Installation:
    root = cache_folder() / ASTERISK
    libraries = [modules.parents[1] for modules in root.glob("usr/lib/*/asterisk/modules")]
    loaders = [loader for library in libraries for loader in library.glob("ld-linux*.so.*")]
    if not loaders:
        raise NotPrepared(f"there is no Asterisk in {root}: run scripts/lab-tools")
    library = libraries[0]
    return Installation(
        command=(str(loaders[0]), "--library-path", str(library), str(root / "usr/sbin/asterisk")),
        modules=library / "asterisk/modules",
        share=root / "usr/share/asterisk",
        sounds=sounds,
    )
