"""A file of numbers, one a line, to keys: pure, reads as the bytes come, remembers nothing but the line it is in.

Taken are E.164 numbers, beginnings with a star, numbers written as in the region given, and the form of the American
register, area code and number in two columns. Of further columns nothing is read. Empty lines and lines that begin with
`#` are passed over, and so is a first line without any digit.
"""

import re
from collections.abc import Iterator
from typing import Final

import phonenumbers

from cti.compliance.listings import key_of
from cti.errors import BadInput
from cti.model.contacts import RowRefused

LINE_BYTES: Final = 1000
"""A longer line holds no number; it is refused, so that memory stays flat on any file."""

_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_SEPARATORS: Final = re.compile(r"[,;\t]")
_NATIONAL: Final[dict[str, tuple[re.Pattern[str], str]]] = {
    "US": (re.compile(r"[2-9]\d{9}"), "+1"),
    "CA": (re.compile(r"[2-9]\d{9}"), "+1"),
    "CN": (re.compile(r"1\d{10}"), "+86"),
}
"""Numbers of one form by region, read without asking the library: a register has millions of them."""


class NumberReader:
    """Takes bytes, gives keys and refused lines in the order of the file. Never raises."""

    def __init__(self, *, region: str = "") -> None:
        """`region`: two-letter country of numbers that are written without one; empty: such numbers are refused."""
        self._region = region
        self._rest = b""
        self._skipping = False
        self._line = 0

    def feed(self, chunk: bytes) -> Iterator[str | RowRefused]:
        """Read on."""
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for raw in whole:
            yield from self._read(raw)
        if len(self._rest) > LINE_BYTES:
            self._skipping, self._rest = True, b""

    def finish(self) -> Iterator[str | RowRefused]:
        """Read what is left: the file has ended."""
        if self._rest or self._skipping:
            yield from self._read(self._rest)
        self._rest = b""

    def _read(self, raw: bytes) -> Iterator[str | RowRefused]:
        self._line += 1
        too_long, self._skipping = self._skipping or len(raw) > LINE_BYTES, False
        if too_long:
            yield RowRefused(line=self._line, reason=f"longer than {LINE_BYTES} bytes")
            return
        try:
            text = raw.decode("utf-8-sig" if self._line == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            yield RowRefused(line=self._line, reason=f"not UTF-8: byte 0x{raw[error.start]:02x}")
            return
        if not text or text.startswith("#") or (self._line == 1 and not re.search(r"\d", text)):
            return
        try:
            yield number_key(text, region=self._region)
        except BadInput as refusal:
            yield RowRefused(line=self._line, reason=str(refusal))


def number_key(text: str, *, region: str = "") -> str:
    """Return the key of a line, or of what a person typed. Raises BadInput."""
    if _E164.fullmatch(text):
        return text
    first, *more = (cell.strip().strip('"') for cell in _SEPARATORS.split(text))
    if (
        region in ("US", "CA")
        and more
        and re.fullmatch(r"[2-9]\d\d", first)
        and re.fullmatch(r"\d{7}", more[0])
    ):
        return f"+1{first}{more[0]}"
    if region in _NATIONAL and _NATIONAL[region][0].fullmatch(first):
        return _NATIONAL[region][1] + first
    if first.startswith(("+", "＋")):
        return key_of(first.replace("＋", "+"))
    return _national(first, region)


def _national(text: str, region: str) -> str:
    if not region:
        raise BadInput(f"{text[:40]!r}: no country code, and no region is set")
    if not re.fullmatch(r"[\d\s().-]+", text):
        raise BadInput(f"{text[:40]!r} is no number")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise BadInput(f"{text[:40]!r} is no number") from None
    if not phonenumbers.is_possible_number(number):
        raise BadInput(f"{text[:40]!r} has not the length of a number there")
    return key_of(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
