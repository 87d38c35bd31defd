"""What searching needs of storage."""

from dataclasses import dataclass
from typing import Final, Protocol

from cti.model.searches import After, Found, SearchFilter, SearchOrder, SearchScope
from cti.search.query import Query

EVERYTHING: Final = SearchFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question."""

    query: Query
    narrow: SearchFilter = EVERYTHING
    scope: SearchScope = SearchScope.SEGMENT
    order: SearchOrder = SearchOrder.NEWEST
    limit: int = 20
    after: After | None = None


class TranscriptSearch(Protocol):
    """Utterances of current transcripts, found by what was said."""

    async def find(self, asked: Asked) -> Found:
        """Return one page of hits; each was compared with the text itself. Raises StorageError."""
        ...
