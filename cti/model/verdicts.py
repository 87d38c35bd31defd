"""May this contact be dialed now? What the compliance gate answers, and the words for why not."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SkipReason(StrEnum):
    """Why a contact is not dialed (now). Stored, told, counted; renamed never."""

    DO_NOT_CALL = "do_not_call"
    NO_CONSENT = "no_consent"
    ZONE_UNKNOWN = "zone_unknown"
    """The profile wants the callee's time zone, and nobody knows it."""
    OUTSIDE_HOURS = "outside_hours"
    HOLIDAY = "holiday"
    ATTEMPTS_TODAY = "attempts_today"
    ATTEMPTS_TOTAL = "attempts_total"
    FREQUENCY = "frequency"
    """Too many attempts at this number within one of the profile's windows."""
    AFTER_DROP = "after_drop"
    """He was dropped lately, and the profile wants a pause after that."""
    STOPPED = "stopped"
    """Somebody stopped him."""
    RETRY_LATER = "retry_later"
    CALLBACK_LATER = "callback_later"
    GIVEN_UP = "given_up"
    """The retry rules allow no more attempts."""
    NO_RULE = "no_rule"
    """No retry rule follows the last outcome."""
    REACHED = "reached"
    """Done: the last outcome or disposition is final."""
    OWNER_AWAY = "owner_away"
    OWNER_BUSY = "owner_busy"
    NO_AGENT = "no_agent"
    PREVIEW_SKIPPED = "preview_skipped"
    NO_CALLER_ID = "no_caller_id"
    NO_TRUNK = "no_trunk"
    NO_NUMBER = "no_number"
    """The number he is to be called at is no longer there."""
    CAMPAIGN_NOT_RUNNING = "campaign_not_running"
    IN_LINE = "in_line"
    """Nothing forbids it: others are before him."""
    LIST_ENDED = "list_ended"
    IMPORT_UNDONE = "import_undone"
    CRM_OVER = "crm_over"
    """The CRM's record is won, lost, merged, archived, deleted, or opted out."""
    CRM_STALE = "crm_stale"
    """The CRM's record was read too long ago, and is read again first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's answer for one contact and number at one moment."""

    allowed: bool
    reason: SkipReason | None = None
    """Always there when not allowed."""
    detail: str = ""
    """For people: the rule and the figures, for example `2 of 2 attempts today (us: attempts_per_day)`."""
    until: datetime | None = None
    """The earliest moment at which asking again may be answered otherwise; None with a refusal: never by itself."""


ALLOWED = Verdict(allowed=True)
