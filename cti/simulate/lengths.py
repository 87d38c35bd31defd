"""Lengths of time that vary: talks, wrap-ups, ringing."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Length:
    """A lognormal length: always positive, with a long tail, as talks and ringing are."""

    mean: float
    """Seconds."""
    variation: float = 0.0
    """Standard deviation / mean; 0: always the mean."""
    least: float = 0.0
    """Nothing is shorter, in seconds."""

    def drawer(self) -> Callable[[float], float]:
        """Return the function from a standard normal number to seconds."""
        if self.mean <= 0.0:
            return lambda normal: self.least
        square = math.log1p(self.variation**2)
        middle, width, least = math.log(self.mean) - square / 2, math.sqrt(square), self.least
        return lambda normal: max(least, math.exp(middle + width * normal))
