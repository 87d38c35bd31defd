"""Random numbers by place, so that two pacers who share a seed meet the same callees and the same talks."""

from typing import Final

import numpy as np

_BLOCK: Final = 4096

Draw = tuple[float, ...]
"""Uniform numbers of 0 to 1 first, then standard normal ones."""


class Draws:
    """An endless list of draws; the one at a place depends on the seed and the place alone."""

    def __init__(self, seed: int, *, uniform: int, normal: int) -> None:
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._uniform, self._normal = uniform, normal
        self._rows: list[list[float]] = []

    def at(self, place: int) -> Draw:
        """Return the draw at a place, from 0."""
        while place >= len(self._rows):
            uniform = self._random.random((_BLOCK, self._uniform))
            normal = self._random.standard_normal((_BLOCK, self._normal))
            self._rows.extend(np.hstack([uniform, normal]).tolist())
        return tuple(self._rows[place])
