"""What the archive is opened with, as plain values that may go to another process. Pure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """Where in the world; holds no secret."""

    bucket: str
    endpoint: str = ""
    """URL of the store; empty: Amazon's own."""
    region: str = ""
    prefix: str = ""
    """Put before each key; without a slash at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a store is waited for."""

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    """Between two pieces of an answer."""
    attempts: int = 3
    """In all, at one order."""


UNHURRIED: Final = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlan:
    """All that is needed to open the archive, also in another process."""

    folder: Path
    keys: str = ""
    """As `KeyRing.read` wants them."""
    s3: S3Place | None = None

    def __repr__(self) -> str:
        return f"ArchivePlan(folder={self.folder!r}, s3={self.s3!r})"
