"""What a check found: one line each, with the mend."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of looking at one thing."""

    node: str
    """The Asterisk node's name; empty for what belongs to no node (settings, database)."""
    subject: str
    """What was looked at, for example `dialplan cti-customer`."""
    ok: bool | None
    """True: proved. False: wrong or missing. None: could not be looked at."""
    message: str
    """What was seen, one sentence."""
    mend: str = ""
    """What to do about it; empty when nothing is to be done."""
