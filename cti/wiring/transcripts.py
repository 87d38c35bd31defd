"""Puts together what keeps transcripts: the part of the composition root that knows what may be kept of a call."""

from collections.abc import Callable, Collection

from cti.asr.redacting import RedactingTranscripts
from cti.asr.retention import TranscriptRetention
from cti.clock import Clock
from cti.model.campaign_rules import CampaignRules
from cti.model.secrets import Secret
from cti.settings.recording_sections import RecordingSettings
from cti.storage.database import Database


def kept_transcripts(*, database: Database, rules_of: Callable[[int], CampaignRules]) -> RedactingTranscripts:
    """Return the store that new transcripts go to: numbers are taken out as the call's campaign says.

    `rules_of` returns the rules of a campaign by its id, and those of a plain one when it is not known.
    """

    async def kinds_of(call_id: str) -> Collection[Secret]:
        call = await database.calls.get(call_id)
        return rules_of(call.campaign_id or 0 if call else 0).redaction.kinds

    return RedactingTranscripts(store=database.transcripts, kinds_of=kinds_of)


def transcript_retention(
    *, settings: RecordingSettings, database: Database, clock: Clock
) -> TranscriptRetention:
    """Return what deletes transcripts by the classes of their recordings."""
    return TranscriptRetention(
        store=database.transcripts,
        judgements=database.quality.judgements,
        clock=clock,
        classes=settings.retention_classes(),
        default=settings.retention,
    )
