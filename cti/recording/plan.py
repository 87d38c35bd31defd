"""What the archive is opened with, as plain values that may go to another process. Pure."""

from dataclasses import dataclass
from pathlib import Path


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
class ArchivePlan:
    """All that is needed to open the archive, also in another process."""

    folder: Path
    keys: str = ""
    """As `KeyRing.read` wants them."""
    s3: S3Place | None = None

    def __repr__(self) -> str:
        return f"ArchivePlan(folder={self.folder!r}, s3={self.s3!r})"
