"""What must not be kept is gone before anything is written."""

import pytest

from cti.asr.redacting import RedactingTranscripts
from cti.errors import BadInput
from cti.model.campaign_rules import CampaignRules
from cti.model.secrets import Secret
from cti.rules import merged
from tests.builders import a_call
from tests.fakes.memory_store import MemoryStore
from tests.talk import C, a_transcript, said

CARD = "4111 1111 1111 1111"


async def kept(kinds: tuple[Secret, ...]) -> str:
    store, call = MemoryStore(), a_call()
    await store.calls.place([(call, None)])

    async def kinds_of(call_id: str) -> tuple[Secret, ...]:
        assert call_id == call.id
        return kinds

    redacting = RedactingTranscripts(store=store.transcripts, kinds_of=kinds_of)
    assert await redacting.save(a_transcript(call.id, [said(C, f"card {CARD} yes")])) == 1
    transcript = await store.transcripts.current(call.id)
    assert transcript is not None
    assert await redacting.current(call.id) == await redacting.version(call.id, 1) == transcript
    return transcript.segments[0].shown


async def test_numbers_are_taken_out_as_the_campaign_says() -> None:
    assert await kept(CampaignRules().redaction.kinds) == "card [card] yes"
    assert await kept((Secret.CHINA_ID,)) == f"card {CARD} yes"


def test_the_kinds_are_a_rule_of_the_campaign() -> None:
    rules = merged(CampaignRules(), {"redaction": {"kinds": ["us_ssn", "number"]}}, where="rules")
    assert rules.redaction.kinds == (Secret.US_SSN, Secret.NUMBER)
    with pytest.raises(BadInput, match=r"rules\.redaction\.kinds"):
        merged(CampaignRules(), {"redaction": {"kinds": ["phone"]}}, where="rules")
