"""`FileStore` in an S3-compatible store. The only module that knows boto3.

Credentials are found by boto3 itself: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, its own files, or
the machine's role.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cti.errors import FileMissing, RecordingError
from cti.recording.files import translated
from cti.recording.plan import UNHURRIED, Patience, S3Place

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_BEYOND: Final = "InvalidRange"
_IN_MEMORY: Final = 4 << 20
"""A file up to this size is not written to disk on its way."""


class S3Store:
    """Objects of one bucket below one prefix."""

    def __init__(self, place: S3Place, *, spool: Path | None = None, patience: Patience = UNHURRIED) -> None:
        """`spool`: folder for what is too large for memory on its way; None: the system's own.

        Raises RecordingError when what boto3 finds in its files or the environment is wrong in itself.
        """
        self._place = place
        self._spool = spool
        try:
            self._client = _client(place, patience)
        except (BotoCoreError, Boto3Error, ValueError) as error:
            raise RecordingError(f"{self._where} cannot be asked: {error}") from error

    def put(self, key: str, chunks: Iterable[bytes]) -> int:
        """See the port. S3 shows an object only when all of it is there."""
        folder = self._spool or Path(tempfile.gettempdir())
        with translated("cannot write to", folder / "spool"):
            if self._spool:
                self._spool.mkdir(parents=True, exist_ok=True)
            with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder)) as spooled:
                size = sum(spooled.write(chunk) for chunk in chunks)
                spooled.seek(0)
                with self._said("take", key):
                    self._client.upload_fileobj(spooled, self._place.bucket, self._name(key))
        return size

    def size(self, key: str) -> int | None:
        """See the port."""
        try:
            with self._said("look at", key):
                found = self._client.head_object(Bucket=self._place.bucket, Key=self._name(key))
        except _NotThere:
            return None
        size: int = found["ContentLength"]
        return size

    def read(self, key: str, start: int, length: int) -> bytes:
        """See the port."""
        if length <= 0:
            return b""
        span = f"bytes={start}-{start + length - 1}"
        try:
            with self._said("give", key):
                found = self._client.get_object(Bucket=self._place.bucket, Key=self._name(key), Range=span)
                return bytes(found["Body"].read())
        except _Beyond:
            return b""

    def remove(self, key: str) -> None:
        """See the port."""
        with self._said("remove", key):
            self._client.delete_object(Bucket=self._place.bucket, Key=self._name(key))

    def _name(self, key: str) -> str:
        if not key or key.startswith("/") or ".." in key.split("/"):
            raise FileMissing(f"{key!r} is no key of a recording")
        return f"{self._place.prefix}/{key}" if self._place.prefix else key

    @property
    def _where(self) -> str:
        return f"the S3 bucket {self._place.bucket} at {self._place.endpoint or 'Amazon'}"

    @contextmanager
    def _said(self, what: str, key: str) -> Iterator[None]:
        """Translate what the library raises; a file that is not there, or ends before, has an error of its own."""
        where = self._where
        try:
            yield
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code", ""))
            kind = _NotThere if code in _MISSING else _Beyond if code == _BEYOND else RecordingError
            message = told.get("Message") or error
            raise kind(f"{where} did not {what} {key}: {code} {message}") from error
        except (BotoCoreError, Boto3Error) as error:
            raise RecordingError(f"{where} did not {what} {key}: {error}") from error


def _client(place: S3Place, patience: Patience) -> Any:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=place.endpoint or None,
        region_name=place.region or None,
        config=Config(
            connect_timeout=patience.connect_seconds,
            read_timeout=patience.read_seconds,
            retries={"mode": "standard", "total_max_attempts": patience.attempts},
            # Stores that are not Amazon's know neither the checksums it asks for by default, nor bucket hosts.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"} if place.endpoint else {},
        ),
    )


class _NotThere(RecordingError):
    pass


class _Beyond(RecordingError):
    pass
