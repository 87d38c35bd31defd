"""What a segment is besides its words, as tokens of the index: whose voice, whose call. Pure.

A filter by one of these is then a word of the query, and costs no look at other tables.
"""

from collections.abc import Iterable
from typing import Final

from cti.model.transcripts import Speaker
from cti.search.segment_ids import day_of

_AGENT: Final = "a"
_CAMPAIGN: Final = "c"
_LIST: Final = "l"
_SPEAKER: Final = "s"
DAY: Final = "d"
PERIOD: Final = "p"
PERIOD_DAYS: Final = 32


def speaker_facet(speaker: Speaker) -> str:
    """Return the token of a voice."""
    return _SPEAKER + speaker.value


def agent_facet(agent_id: int) -> str:
    """Return the token of an agent who was on the call."""
    return f"{_AGENT}{agent_id}"


def campaign_facet(campaign_id: int) -> str:
    """Return the token of a campaign."""
    return f"{_CAMPAIGN}{campaign_id}"


def list_facet(list_id: int) -> str:
    """Return the token of a list."""
    return f"{_LIST}{list_id}"


def call_facets(*, agent_ids: Iterable[int], campaign_id: int | None, list_id: int | None) -> tuple[str, ...]:
    """Return the tokens of a call, each once."""
    facets = [agent_facet(agent_id) for agent_id in sorted(set(agent_ids))]
    if campaign_id is not None:
        facets.append(campaign_facet(campaign_id))
    if list_id is not None:
        facets.append(list_facet(list_id))
    return tuple(facets)


def time_facets(segment_id: int) -> tuple[str, str]:
    """Return the tokens of when the call was placed: its day, and its period of 32 days."""
    day = day_of(segment_id)
    return f"{DAY}{day}", f"{PERIOD}{day // PERIOD_DAYS}"
