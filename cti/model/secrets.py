"""Numbers that must not be kept of what was said."""

from enum import StrEnum
from typing import Final


class Secret(StrEnum):
    """A kind of number."""

    CARD = "card"
    """Payment card: 13 to 19 digits with the check digit of ISO/IEC 7812-1 (Luhn)."""
    CHINA_ID = "china_id"
    """Citizen's number of the People's Republic: 18 places, date of birth, check digit (GB 11643-1999)."""
    US_SSN = "us_ssn"
    """Social security number: nine digits in one go that could be one. Order numbers look the same."""
    NUMBER = "number"
    """Any 13 or more digits in one go: one digit that the engine misheard, and no check digit is right any more."""


MARKS: Final = {
    Secret.CARD: "[card]",
    Secret.CHINA_ID: "[id]",
    Secret.US_SSN: "[ssn]",
    Secret.NUMBER: "[number]",
}
"""What stands in their place."""
