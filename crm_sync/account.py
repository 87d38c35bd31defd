"""Where a CRM is, and what lets in."""

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Account:
    """One account of one CRM."""

    target: str
    url: str
    secret: SecretStr
    where: str
    """File of the mapping, for messages."""
