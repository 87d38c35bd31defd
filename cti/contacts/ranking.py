"""Where an entry stands in its queue among those of equal priority. Pure."""

from cti.model.campaign_rules import Order


def rank(
    order: Order, *, entry_id: int, score: float | None = None, answer_chance: float | None = None
) -> float:
    """Return the entry's rank under an order; the smaller is dialed first, equal ones by entry id.

    A contact without a score or a learned chance comes after those who have one.
    """
    match order:
        case Order.OLDEST:
            return float(entry_id)
        case Order.NEWEST:
            return float(-entry_id)
        case Order.SCORE:
            return -(score or 0.0)
        case Order.ANSWER_CHANCE:
            return -(answer_chance or 0.0)
