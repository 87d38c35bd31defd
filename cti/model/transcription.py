"""The work that transcribes a recording. Pure."""

from collections.abc import Mapping
from typing import Any

from cti.model.campaign_rules import TranscriptionRules
from cti.model.queries import RecordingFacts
from cti.model.work import TRANSCRIBE, NewWork


def transcription_works(
    rules: TranscriptionRules, call_id: str, facts: RecordingFacts
) -> tuple[NewWork, ...]:
    """Return the work to be written with a recording's facts: none where nobody wants it, or there is no sound."""
    if not rules.enabled or facts.path is None:
        return ()
    wish = {"language": rules.language, "model": rules.model, "priority": rules.priority}
    return (transcribe_work(call_id, wish),)


def transcribe_work(call_id: str, wish: Mapping[str, Any]) -> NewWork:
    """Return the work of one recording. Asked again while it waits, the newest wish counts and it is done once.

    `wish`: `language`, `model`, `priority`, any of them missing.
    """
    payload = {
        "call_id": call_id,
        "language": wish.get("language", ""),
        "model": wish.get("model", ""),
    }
    return NewWork(kind=TRANSCRIBE, key=call_id, payload=payload, priority=wish.get("priority", 0))
