"""Transcripts as a CRM is given them: a line for each utterance. Pure but for the asking."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from cti.model.transcripts import Transcript

Current = Callable[[str], Awaitable[Transcript | None]]
"""Returns a call's newest transcript."""


def text_of(transcript: Transcript) -> str:
    """Return what was said, in the order it was said: `agent: ...`, `customer: ...`."""
    return "\n".join(f"{one.speaker.value}: {one.shown}" for one in transcript.segments)


def texts_by(current: Current) -> Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]:
    """Return the question of a feed for texts, asked of a store of transcripts. Calls without one are left out."""

    async def texts(call_ids: Sequence[str]) -> Mapping[str, str]:
        found = {call_id: await current(call_id) for call_id in call_ids}
        return {call_id: text_of(one) for call_id, one in found.items() if one is not None}

    return texts
