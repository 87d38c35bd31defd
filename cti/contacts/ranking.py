"""Where an entry stands in its queue among those of equal priority. Pure."""

from typing import Final

from cti.model.campaign_rules import Order

TRY: Final = float(1 << 40)
"""How far each try moves a contact back where the fewest tries go first; more than any entry's id."""


def rank(
    order: Order, *, entry_id: int, score: float | None = None, answer_chance: float | None = None
) -> float:
    """Return the entry's rank under an order; the smaller is dialed first, equal ones by entry id.

    A contact without a score or a learned chance comes after those who have one.
    """
    match order:
        case Order.OLDEST | Order.FEWEST_TRIES:
            return float(entry_id)
        case Order.NEWEST:
            return float(-entry_id)
        case Order.SCORE:
            return -(score or 0.0)
        case Order.ANSWER_CHANCE:
            return -(answer_chance or 0.0)


def rank_after(order: Order, *, entry_id: int, tries: int) -> float | None:
    """Return the rank after so many tries, None when tries do not change it."""
    return tries * TRY + entry_id if order is Order.FEWEST_TRIES else None
