"""Encryption at rest: what comes back, and what is noticed."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import BadInput, BrokenSound, RecordingError, WrongKey
from cti.recording.keys import KeyRing
from cti.recording.sealing import CHUNK, HEAD, TAG, Unsealed, is_sealed, sealed

KEY, OTHER = bytes(range(32)), bytes(32)
RING = KeyRing({"new": KEY, "old": OTHER})
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5]


class Memory:
    """Bytes as a source; counts what is read."""

    def __init__(self, content: bytes) -> None:
        self.content, self.size, self.asked = content, len(content), 0

    def read(self, start: int, length: int) -> bytes:
        self.asked += length
        return self.content[start : start + length]


def seal(plain: bytes, *, key_id: str = "new", key: bytes = KEY) -> bytes:
    pieces = [plain[at : at + 7919] for at in range(0, len(plain), 7919)]
    return b"".join(sealed(pieces, key_id=key_id, key=key))


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_comes_back_whole_and_in_parts(size: int) -> None:
    plain = os.urandom(size)
    source = Unsealed(Memory(seal(plain)), RING)
    assert (source.size, source.key_id) == (size, "new")
    assert source.read(0, size + 10) == plain
    for start in (0, CHUNK - 3, CHUNK, 2 * CHUNK - 1, size - 1, size):
        assert source.read(max(start, 0), 10) == plain[max(start, 0) :][:10]


@given(start=st.integers(0, 3 * CHUNK), length=st.integers(0, 2 * CHUNK))
def test_any_part_is_the_part_of_the_whole(start: int, length: int) -> None:
    assert Unsealed(Memory(_SEALED), RING).read(start, length) == _PLAIN[start : start + length]


_PLAIN = os.urandom(2 * CHUNK + 999)
_SEALED = seal(_PLAIN)


def test_a_part_of_a_long_file_reads_little_of_it() -> None:
    memory = Memory(seal(bytes(50 * CHUNK)))
    source = Unsealed(memory, RING)
    source.read(20 * CHUNK + 5, 10)
    assert memory.asked <= HEAD + 2 * (CHUNK + TAG)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cut", [1, TAG, TAG + 1, CHUNK + TAG, 2 * (CHUNK + TAG), "head", "all"])
def test_a_file_that_was_cut_off_is_noticed_when_it_is_opened(size: int, cut: int | str) -> None:
    content = seal(os.urandom(size))
    left = {"head": HEAD - 1, "all": 0}.get(str(cut)) if isinstance(cut, str) else len(content) - cut
    assert left is not None
    if left < 0:
        return
    with pytest.raises((WrongKey, BrokenSound)):
        Unsealed(Memory(content[:left]), RING)


def test_a_file_that_was_changed_anywhere_is_noticed() -> None:
    plain = os.urandom(CHUNK + 50)
    content = seal(plain)
    for place in (0, 10, 60, HEAD, HEAD + CHUNK, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(RecordingError):
            Unsealed(Memory(bytes(changed)), RING).read(0, len(plain))


def test_chunks_can_neither_change_places_nor_files() -> None:
    plain = os.urandom(3 * CHUNK)
    one, two = seal(plain), seal(plain)
    step = CHUNK + TAG
    turned = (
        one[:HEAD] + one[HEAD + step : HEAD + 2 * step] + one[HEAD : HEAD + step] + one[HEAD + 2 * step :]
    )
    mixed = one[:HEAD] + two[HEAD : HEAD + step] + one[HEAD + step :]
    for content in (turned, mixed):
        with pytest.raises(WrongKey):
            Unsealed(Memory(content), RING).read(0, CHUNK)


def test_the_same_sound_is_never_sealed_alike() -> None:
    assert seal(b"hello") != seal(b"hello")
    assert b"hello" not in seal(b"hello")
    assert is_sealed(seal(b"hello"))
    assert not is_sealed(b"RIFF....WAVE")


def test_old_keys_still_open_and_missing_ones_are_named() -> None:
    old = seal(b"hello", key_id="old", key=OTHER)
    assert Unsealed(Memory(old), RING).read(0, 5) == b"hello"
    with pytest.raises(WrongKey, match="encrypted with the key 'old'; known are: new"):
        Unsealed(Memory(old), KeyRing({"new": KEY}))
    with pytest.raises(WrongKey, match="the key 'old' is another one"):
        Unsealed(Memory(old), KeyRing({"old": KEY}))


def test_keys_are_read_and_never_shown() -> None:
    text = ", ".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in (("b", KEY), ("a", OTHER)))
    ring = KeyRing.read(text)
    assert (ring.current, ring.ids, ring.key("a")) == ("b", ("b", "a"), OTHER)
    assert repr(ring) == "KeyRing(b, a)"
    assert KeyRing.read("").current is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", "is not base64|has 0 bytes"),
        (":abc", "is written"),
        ("a b:abc", "is written"),
        ("a:????", "the key a is not base64"),
        ("a:c2VjcmV0", "the key a has 6 bytes"),
        (f"a:{base64.b64encode(KEY).decode()},a:{base64.b64encode(KEY).decode()}", "each id once"),
    ],
)
def test_a_key_that_is_none_is_refused_and_not_repeated(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=told) as error:
        KeyRing.read(text)
    assert "c2VjcmV0" not in str(error.value)
