"""Which encoding a text file has, by strict trial over the whole file, and the file as UTF-8.

The order: a byte order mark; UTF-8 without one slip; UTF-16 by its zero bytes; GB18030 when every byte decodes and
most of the characters are everyday Chinese. Else it counts as UTF-8 with slips, and those lines are refused one by one.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cti.errors import BadInput

PIECE: Final = 65_536
BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
GIVEN: Final = frozenset(
    {"utf-8", "utf-16", "gb18030", "big5", "shift_jis", "euc_kr", "cp1251", "cp1252", "iso-8859-1"}
)
"""Encodings that may be asked for by name."""
NOT_GUESSED: Final = frozenset({"JP", "KR", "KP", "TW", "HK", "MO"})
"""Regions whose own encodings use the same bytes as GB18030: there Chinese is not guessed, it is asked for."""

_EVERYDAY: Final = re.compile(rb"[\xa1-\xa9\xb0-\xf7][\xa1-\xfe]")
"""A character of GB 2312: punctuation or one of its 6763 Chinese characters."""
_PAIR: Final = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_EVERYDAY_SHARE: Final = 2 / 3
ENOUGH: Final = 100_000
"""Characters that settle whether a text is Chinese."""


def encoding_of(path: Path, *, region: str = "") -> str:
    """Return the encoding, as Python calls it."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in BOMS:
        if head.startswith(mark):
            return name
    if _decodes(path, "utf-8"):
        zeros = _of_zeros(head)
        return zeros or "utf-8"
    if zeros := _of_zeros(head):
        return zeros
    if region not in NOT_GUESSED and _is_chinese(path):
        return "gb18030"
    return "utf-8"


def check_encoding(name: str) -> str:
    """Return an encoding that was asked for, as Python calls it; empty stays empty. Raises BadInput."""
    if not name:
        return ""
    wanted = name.strip().lower()
    try:
        known = codecs.lookup(wanted).name
    except LookupError:
        known = ""
    found = {codecs.lookup(one).name: one for one in GIVEN} | {"gbk": "gb18030", "gb2312": "gb18030"}
    if known not in found:
        raise BadInput(f"encoding: {name[:40]!r} is not one of {', '.join(sorted(GIVEN))}")
    return found[known]


@dataclass(slots=True)
class Place:
    """How far a file was read."""

    bytes: int = 0


def utf8_pieces(path: Path, encoding: str, place: Place) -> Iterator[bytes]:
    """Give the file as UTF-8, piece by piece. Raises BadInput when the file is not of the encoding.

    UTF-8 is handed on as it stands: its slips cost lines, not the file.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        while True:
            piece = file.read(PIECE)
            if encoding == "utf-8":
                yield piece
            else:
                try:
                    yield decoder.decode(piece, final=not piece).encode()
                except UnicodeError as error:
                    start = place.bytes + getattr(error, "start", 0)
                    raise BadInput(f"the file is not {encoding}: near byte {start}") from None
            place.bytes += len(piece)
            if not piece:
                return


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _of_zeros(head: bytes) -> str:
    """Return UTF-16 in its byte order when half of the bytes are zeros on one side, as in text of Latin letters."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 4
    if not head or max(even, odd) <= half or min(even, odd) > half // 10:
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _is_chinese(path: Path) -> bool:
    if not _decodes(path, "gb18030"):
        return False
    pairs = everyday = 0
    with path.open("rb") as file:
        for line in iter(lambda: file.readline(PIECE), b""):
            found = _PAIR.findall(line)
            pairs += len(found)
            everyday += sum(_EVERYDAY.fullmatch(pair) is not None for pair in found)
            if pairs > ENOUGH:
                break
    return pairs > 0 and everyday >= pairs * _EVERYDAY_SHARE
