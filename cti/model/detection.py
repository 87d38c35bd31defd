"""Who answered, in the dialplan's words: read alike from its events (AMI) and from its own records (CEL)."""

from typing import Final

PERSON: Final = "person"
MACHINE: Final = "machine"
FAX: Final = "fax"
UNKNOWN: Final = "unknown"
"""The detector could not tell; he is treated as a person."""

NOT_A_PERSON: Final = frozenset({MACHINE, FAX})
LONGEST_WORDS: Final = 80


def answered_by(word: str) -> str:
    """Return who answered; a word that is not known means that nobody can tell."""
    return word if word in {PERSON, MACHINE, FAX} else UNKNOWN


def detection_words(text: str) -> str | None:
    """Return the detector's words for storage, None when it had none."""
    return text[:LONGEST_WORDS] or None
