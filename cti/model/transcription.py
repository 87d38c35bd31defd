"""The wish to have a recording transcribed, as work carries it: `{"language", "model", "priority"}`, JSON values."""

from collections.abc import Mapping
from typing import Any

from cti.model.campaign_rules import TranscriptionRules
from cti.model.work import TRANSCRIBE, NewWork


def wish_record(rules: TranscriptionRules) -> dict[str, Any]:
    """Return what of a campaign's rules goes into the order to collect a recording."""
    return {"language": rules.language, "model": rules.model, "priority": rules.priority}


def transcribe_work(call_id: str, wish: Mapping[str, Any]) -> NewWork:
    """Return the work of one recording. Asked again while it waits, the newest wish counts and it is done once.

    What is missing from the wish, or has another type, counts as not said: the wish is our own, and a recording must
    not be lost to the transcribers for the sake of a priority.
    """
    language, model, priority = wish.get("language"), wish.get("model"), wish.get("priority")
    payload = {
        "call_id": call_id,
        "language": language if isinstance(language, str) else "",
        "model": model if isinstance(model, str) else "",
    }
    return NewWork(
        kind=TRANSCRIBE,
        key=call_id,
        payload=payload,
        priority=priority if isinstance(priority, int) else 0,
    )
