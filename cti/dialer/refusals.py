"""Counts orders that Asterisk refused in a row, so that a broken node or trunk does not use a whole list up. Pure."""

from typing import Final

from cti.model.calls import Call, EndReason

IN_A_ROW: Final = 5
"""Refusals after which a campaign is paused. One may be a number that no order takes; five are a broken node."""


class Refusals:
    """By campaign: what was refused since the last order that was taken."""

    def __init__(self) -> None:
        self._words: dict[int, list[str]] = {}

    def note(self, call: Call) -> None:
        """Take note of how a call ended."""
        if call.campaign_id is None or call.end_reason is EndReason.NOT_SENT:
            return
        if call.end_reason is EndReason.REFUSED:
            self._words.setdefault(call.campaign_id, []).append(call.cause_text or "no reason was given")
        else:
            self._words.pop(call.campaign_id, None)

    def too_many(self, campaign_id: int) -> str | None:
        """Return the last refusal's words when there were too many in a row, and begin to count anew."""
        words = self._words.get(campaign_id, [])
        if len(words) < IN_A_ROW:
            return None
        del self._words[campaign_id]
        return words[-1]
