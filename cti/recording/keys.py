"""The keys that recordings are encrypted with, by id. Pure; see `sealing` for what is done with them."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final, Self

from cti.errors import BadInput, WrongKey

KEY_BYTES: Final = 32
"""AES-256."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


class KeyRing:
    """Keys by id; the first one encrypts, all decrypt. Its repr shows ids alone."""

    def __init__(self, keys: Mapping[str, bytes] | None = None) -> None:
        self._keys = dict(keys or {})

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `id:base64` of each key, with commas between; empty: no encryption. Raises BadInput, never the key."""
        keys: dict[str, bytes] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            key_id, _, encoded = part.partition(":")
            if not _ID.fullmatch(key_id) or key_id in keys:
                raise BadInput("a key is written `id:base64`, each id once, of letters, digits, - and _")
            try:
                keys[key_id] = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                raise BadInput(f"the key {key_id} is not base64") from None
            if len(keys[key_id]) != KEY_BYTES:
                raise BadInput(f"the key {key_id} has {len(keys[key_id])} bytes; it needs {KEY_BYTES}")
        return cls(keys)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    @property
    def current(self) -> str | None:
        """The id of the key that encrypts, None when nothing is encrypted."""
        return next(iter(self._keys), None)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def key(self, key_id: str) -> bytes:
        """Return the key. Raises WrongKey."""
        if key_id not in self._keys:
            known = ", ".join(self._keys) or "none"
            raise WrongKey(f"the recording is encrypted with the key {key_id!r}; known are: {known}")
        return self._keys[key_id]
