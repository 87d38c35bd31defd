"""Fits the weights. The only module that knows scikit-learn; imported only where a fit is made.

Why a linear model: its weights are plain numbers that a database may keep, a person may read them, and it foretells
rates, not ranks. See docs/decisions/0054-answer-chances-are-logistic.md.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

from cti.chances.facts import Facts
from cti.chances.features import matrix
from cti.chances.measures import Happened
from cti.chances.model import ChanceModel


def fitted(facts: Facts, happened: Happened, *, strength: float) -> ChanceModel:
    """Fit by maximum likelihood with an L2 penalty, the weaker the larger `strength`; all features on one scale.

    Both results must occur.
    """
    names, values = matrix(facts)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    kept = scale > 1e-9
    solver = LogisticRegression(C=strength, max_iter=1000)
    solver.fit((values[:, kept] - mean[kept]) / scale[kept], happened)
    weights = solver.coef_[0] / scale[kept]
    return ChanceModel(
        intercept=float(solver.intercept_[0] - weights @ mean[kept]),
        weights=dict(zip(np.array(names)[kept].tolist(), (float(weight) for weight in weights), strict=True)),
    )
