"""What a learned chance must beat: one rate for all, and one for each hour of the day. Pure."""

from typing import Final

import numpy as np

from cti.chances.facts import Facts, Floats, Ints
from cti.chances.measures import Happened

_WEIGHT: Final = 50.0
"""An hour's rate is drawn towards the campaign's as if by so many attempts."""


def campaign_rate(happened: Happened, count: int) -> Floats:
    """Foretell the campaign's rate for everybody."""
    return np.full(count, happened.mean())


def hour_rate(facts: Facts, happened: Happened, asked: Facts) -> Floats:
    """Foretell the rate of the hour of the day, working days and weekends apart."""
    places = _places(facts)
    tried = np.bincount(places, minlength=48)
    answered = np.bincount(places, weights=happened, minlength=48)
    rates: Floats = (answered + _WEIGHT * happened.mean()) / (tried + _WEIGHT)
    return rates[_places(asked)]


def _places(facts: Facts) -> Ints:
    places: Ints = np.minimum(facts.hour.astype(np.int64), 23) + 24 * (facts.weekday >= 5)
    return places
