"""Which digits are a number that must not be kept. Pure."""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Final

from cti.model.secrets import Secret

CARD_DIGITS: Final = range(13, 20)
"""Length of a card's number (ISO/IEC 7812-1)."""
_CARD_BEGINS: Final = frozenset("234568")
"""Industries that issue payment cards: 2 to 6, and 8 (UnionPay's 81)."""
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
"""Of GB 11643-1999 (ISO 7064, MOD 11-2), by the weighted sum's remainder."""

Stretch = tuple[Secret, int, int]
"""From one digit to another, the second exclusive."""


def secrets_in(digits: str, kinds: Collection[Secret]) -> list[Stretch]:
    """Return where the numbers of these kinds are in a run of digits; none overlaps another."""
    taken: list[Stretch] = []
    for kind in (Secret.CHINA_ID, Secret.CARD, Secret.US_SSN, Secret.NUMBER):
        if kind in kinds:
            for first, beyond in _FINDERS[kind](digits):
                if all(beyond <= start or first >= end for _, start, end in taken):
                    taken.append((kind, first, beyond))
    return sorted(taken, key=lambda each: each[1])


def _cards(digits: str) -> Iterator[tuple[int, int]]:
    for length in sorted(CARD_DIGITS, key=lambda length: (length != len(digits), length != 16, -length)):
        for first in range(len(digits) - length + 1):
            if is_card(digits[first : first + length]):
                yield first, first + length


def is_card(digits: str) -> bool:
    """Say whether these digits can be a payment card's number."""
    if len(digits) not in CARD_DIGITS or not digits.isdigit() or digits[0] not in _CARD_BEGINS:
        return False
    total = sum(int(digit) for digit in digits[-1::-2])
    total += sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return total % 10 == 0


def _china_ids(digits: str) -> Iterator[tuple[int, int]]:
    for first in range(len(digits) - 17):
        if is_china_id(digits[first : first + 18]):
            yield first, first + 18


def is_china_id(number: str) -> bool:
    """Say whether this can be a citizen's number."""
    body, check = number[:17], number[17:]
    if not body.isdigit() or len(check) != 1 or body[0] not in "12345678":
        return False
    try:
        born = date(int(body[6:10]), int(body[10:12]), int(body[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return 1900 <= born.year <= 2099 and _CHECKS[total % 11] == check


def _us_ssns(digits: str) -> Iterator[tuple[int, int]]:
    if is_us_ssn(digits):
        yield 0, 9


def is_us_ssn(digits: str) -> bool:
    """Say whether these nine digits can be a social security number (20 CFR 422.103; SSA's rules since 2011)."""
    if len(digits) != 9 or not digits.isdigit():
        return False
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"


def _numbers(digits: str) -> Iterator[tuple[int, int]]:
    if len(digits) >= CARD_DIGITS.start:
        yield 0, len(digits)


_FINDERS: Final = {
    Secret.CHINA_ID: _china_ids,
    Secret.CARD: _cards,
    Secret.US_SSN: _us_ssns,
    Secret.NUMBER: _numbers,
}
