"""Check of the store that recordings are moved to. Blocks: belongs in a thread."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from cti.errors import RecordingError
from cti.model.findings import Finding
from cti.recording.ports import FileStore

_CONTENT: Final = b"written by `cti check`; it may be removed"
_MEND: Final = (
    "check `recording.s3` (bucket, endpoint, region), that the environment holds AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, and that these may s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket"
)


def recordings_bucket(open_store: Callable[[], FileStore], name: str) -> Finding:
    """Prove that recordings can be moved there, read and removed, by keeping an object for a moment.

    `open_store` and all that the store does may raise RecordingError, which is told as the finding.
    """
    trial = f".check-{secrets.token_hex(4)}"
    try:
        store = open_store()
        problem = _problem(store, trial)
    except RecordingError as error:
        problem = str(error)
    subject = f"S3 bucket {name}"
    if problem:
        return Finding(node="", subject=subject, ok=False, message=problem, mend=_MEND)
    return Finding(node="", subject=subject, ok=True, message="an object was written, read and removed")


def _problem(store: FileStore, trial: str) -> str | None:
    # Without s3:ListBucket a store answers "forbidden" for what is not there: asked first, before it holds anything.
    store.size(trial)
    store.put(trial, [_CONTENT])
    try:
        found = store.read(trial, 0, len(_CONTENT) + 1)
    except RecordingError:
        with suppress(RecordingError):
            store.remove(trial)
        raise
    store.remove(trial)
    if found != _CONTENT:
        return f"what was read of {trial} is not what was written"
    if store.size(trial) is not None:
        return f"{trial} was removed and is still there"
    return None
