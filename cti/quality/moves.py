"""Which way a review may go: a table. Pure."""

from collections.abc import Mapping
from typing import Final

from cti.errors import Conflict
from cti.model.reviews import ReviewMove as M
from cti.model.reviews import ReviewState as S

NEXT: Final[Mapping[S, Mapping[M, S]]] = {
    S.DRAFT: {M.BEGUN: S.DRAFT, M.ANSWERED: S.DRAFT, M.COMMENTED: S.DRAFT, M.SUBMITTED: S.SUBMITTED},
    S.SUBMITTED: {M.COMMENTED: S.SUBMITTED, M.APPEALED: S.APPEALED},
    S.APPEALED: {M.COMMENTED: S.APPEALED, M.RESOLVED: S.RESOLVED},
    S.RESOLVED: {M.COMMENTED: S.RESOLVED},
}


def moved(state: S, move: M) -> S:
    """Return the state after the move. Raises Conflict for one that is not possible now."""
    if move not in NEXT[state]:
        possible = ", ".join(one.value for one in NEXT[state])
        raise Conflict(f"the review is {state.value}: it cannot be {move.value} now, only {possible}")
    return NEXT[state][move]
