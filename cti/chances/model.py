"""A fitted model: a weight for each feature. Stored as JSON, so that nothing from a database is ever executed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cti.chances.facts import Facts, Floats
from cti.chances.features import features
from cti.errors import BadInput

FORMAT: Final = 1
"""Of the record and of the features' meaning; a model of another format is fitted anew."""
LEAST: Final = 0.005
MOST: Final = 0.95
"""No contact is as good as certain, either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceModel:
    """Logistic: chance = 1 / (1 + exp(-(intercept + the weighted features)))."""

    intercept: float
    weights: Mapping[str, float]

    def chances(self, facts: Facts) -> Floats:
        """Return a chance for each dial, 0.005 to 0.95."""
        if not len(facts):
            return np.zeros(0)
        made = features(facts)
        columns = np.column_stack([made[name] for name in self.weights])
        score = self.intercept + columns @ np.array(list(self.weights.values()))
        chances: Floats = np.clip(1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0))), LEAST, MOST)
        return chances

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"format": FORMAT, "intercept": self.intercept, "weights": dict(self.weights)}


def model_of(record: Mapping[str, Any]) -> ChanceModel:
    """Read a stored model. Raises BadInput when it is of another format, or names features that are not known."""
    if record.get("format") != FORMAT:
        raise BadInput(f"the stored model has format {record.get('format')}, this code reads {FORMAT}")
    weights = {str(name): float(weight) for name, weight in record["weights"].items()}
    if unknown := sorted(set(weights) - _KNOWN):
        raise BadInput(f"the stored model weighs {unknown[0]!r}, which this code does not know")
    return ChanceModel(intercept=float(record["intercept"]), weights=weights)


def _nobody() -> Facts:
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return Facts(
        hour=real,
        weekday=whole,
        kind=whole,
        tries=whole,
        answered=whole,
        last=whole,
        before_last=whole,
        hours_since=real,
        hour_gap=real,
        tries_here=whole,
        answered_here=whole,
    )


_KNOWN: Final = frozenset(features(_nobody()))
