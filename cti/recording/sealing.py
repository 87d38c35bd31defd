"""Encryption at rest: a file in chunks, each encrypted and authenticated for itself. Pure but for the salt.

A sealed file is a head of 96 bytes, then chunks of 64 KiB, each followed by its tag of 16 bytes; the last chunk may be
shorter, down to nothing. Head: `WAIHUSB1`, the key's id (40 bytes, padded with NUL), the chunk size (32 bits, little
endian), 12 bytes of NUL, a random salt (32 bytes). The file's own key is HKDF-SHA256 (RFC 5869) of the named key and
that salt; a chunk's nonce is its number and whether it is the last, and its associated data the whole head. So no two
chunks share key and nonce, a chunk can be neither moved, nor taken from another file, nor left out, and a file that
was cut off, at a chunk's border too, is noticed as soon as it is opened (the construction STREAM, Hoang et al. 2015).
"""

import os
import struct
from collections.abc import Iterable, Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cti.errors import BrokenSound, WrongKey
from cti.recording.keys import KEY_BYTES, KeyRing
from cti.recording.ports import Source

MAGIC: Final = b"WAIHUSB1"
CHUNK: Final = 65_536
TAG: Final = 16
_HEAD: Final = struct.Struct("<8s40sI12x32s")
HEAD: Final = _HEAD.size


def sealed(chunks: Iterable[bytes], *, key_id: str, key: bytes) -> Iterator[bytes]:
    """Give the sealed file of these bytes, piece by piece."""
    head = _HEAD.pack(MAGIC, key_id.encode(), CHUNK, os.urandom(32))
    cipher = _cipher(head, key)
    yield head
    number, waiting = 0, bytearray()
    for chunk in chunks:
        waiting += chunk
        # One chunk is kept back: whether it is the last is known only when more comes.
        while len(waiting) > CHUNK:
            yield cipher.encrypt(_nonce(number, last=False), bytes(waiting[:CHUNK]), head)
            del waiting[:CHUNK]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(waiting), head)


def is_sealed(head: bytes) -> bool:
    """Whether a file that begins like this is a sealed one."""
    return head.startswith(MAGIC)


def key_id_of(head: bytes) -> str:
    """Return the id of the key that a sealed file is encrypted with. Raises BrokenSound."""
    if len(head) < HEAD or not is_sealed(head):
        raise BrokenSound("this is no sealed recording, or it is cut off in its head")
    _, key_id, chunk, _ = _HEAD.unpack_from(head)
    if chunk != CHUNK:
        raise BrokenSound(f"the sealed recording says chunks of {chunk} bytes; they have {CHUNK}")
    return str(key_id.rstrip(b"\0").decode(errors="replace"))


class Unsealed:
    """What a sealed file holds, to be read from anywhere. Blocks.

    Opening it decrypts the last chunk: a wrong key, and a file that was cut off, are noticed at once.
    """

    def __init__(self, source: Source, keys: KeyRing) -> None:
        """Raises WrongKey, BrokenSound, RecordingError."""
        self._source = source
        self._head = source.read(0, HEAD)
        self.key_id = key_id_of(self._head)
        self._cipher = _cipher(self._head, keys.key(self.key_id))
        body = source.size - HEAD
        self._chunks = -(-body // (CHUNK + TAG))
        self.size = body - self._chunks * TAG
        if self._chunks < 1 or self.size < 0 or body - (self._chunks - 1) * (CHUNK + TAG) < TAG:
            raise BrokenSound("the sealed recording is cut off")
        self._kept: tuple[int, bytes] = (-1, b"")
        self._chunk(self._chunks - 1)

    def read(self, start: int, length: int) -> bytes:
        """See `Source`."""
        end = min(start + length, self.size)
        if start >= end:
            return b""
        first, last = start // CHUNK, (end - 1) // CHUNK
        plain = b"".join(self._chunk(number) for number in range(first, last + 1))
        return plain[start - first * CHUNK : end - first * CHUNK]

    def _chunk(self, number: int) -> bytes:
        if self._kept[0] == number:
            return self._kept[1]
        last = number == self._chunks - 1
        there = self._source.read(HEAD + number * (CHUNK + TAG), CHUNK + TAG)
        try:
            plain = self._cipher.decrypt(_nonce(number, last=last), there, self._head)
        except InvalidTag:
            raise WrongKey(
                f"the recording cannot be decrypted: either the key {self.key_id!r} is another one than it was"
                " encrypted with, or the file was changed or cut off"
            ) from None
        self._kept = (number, plain)
        return plain


def _cipher(head: bytes, key: bytes) -> AESGCM:
    salt = _HEAD.unpack_from(head)[3]
    return AESGCM(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=MAGIC).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return struct.pack("<QI", number, 1 if last else 0)
