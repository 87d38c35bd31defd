"""What can be set of judging calls."""

from pydantic import Field

from cti.settings.base import Section


class QualitySettings(Section):
    """Reviews of calls."""

    hold_minutes: float = Field(
        30.0,
        gt=0,
        le=1440,
        description="So long a reviewer holds a call of the review queue after his last change, in minutes.",
    )
    sample_per_agent: int = Field(
        0,
        ge=0,
        le=1000,
        description="Calls of each agent that are drawn for review when a week is over; 0: none.",
    )
    sample_least_seconds: float = Field(
        20.0, ge=0, description="Calls shorter than this are not drawn, in seconds."
    )
    sample_seed: str = Field(
        "waihu",
        min_length=1,
        max_length=100,
        description="Makes the draw: with the same seed the same calls are drawn. Change it when it has become known.",
    )
