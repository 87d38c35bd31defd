"""Talk figures: how a call was led, in numbers. Each is defined in `docs/glossary.md`."""

from dataclasses import dataclass, fields
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkFigures:
    """Figures of one recording. Seconds unless the name says otherwise; shares 0 to 1; None: nothing to make it of."""

    seconds: float
    """Length of the recording."""
    agent_talk_seconds: float
    customer_talk_seconds: float
    agent_listen_seconds: float
    """The customer speaks and the agent does not."""
    customer_listen_seconds: float
    talk_ratio: float | None
    """The agent's share of both talk times."""
    longest_agent_monologue: float
    longest_customer_monologue: float
    silence_seconds: float
    """Neither speaks."""
    silence_share: float | None
    longest_silence: float
    overtalk_seconds: float
    """Both speak."""
    overtalk_share: float | None
    interruptions: int
    """Turns of the agent that begin while the customer speaks; back-channels are not counted."""
    customer_interruptions: int
    response_seconds: float | None
    """Mean time from the end of a customer's turn to the agent's answer; an answer that comes before it counts as 0."""
    longest_response: float | None
    agent_turns: int
    customer_turns: int
    agent_units_per_minute: float | None
    """Words for each minute of talk; of Chinese, Japanese and Korean: characters."""
    customer_units_per_minute: float | None


FIGURES: Final = tuple(field.name for field in fields(TalkFigures))
"""Names of all figures, as stored and as score cards ask for them."""


def figures_record(figures: TalkFigures) -> dict[str, Any]:
    """Return figures as everybody outside sees them."""
    return {name: getattr(figures, name) for name in FIGURES}
