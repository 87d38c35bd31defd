"""From facts to the numbers a linear model weighs. Pure; the names are stored with the weights."""

from typing import Final

import numpy as np

from cti.chances.facts import BUSY, FIXED, MACHINE, MOBILE, NO_ANSWER, PERSON, Facts, Floats

_WAVES: Final = 3
"""Sines and cosines of the day: the third has a period of eight hours."""
_SINCE: Final = (1.0, 4.0, 20.0, 44.0, 168.0)
"""Hours at which another span since the last try begins: at once, the same day, the next, two days, a week."""
_OUTCOMES: Final = {"no_answer": NO_ANSWER, "busy": BUSY, "machine": MACHINE, "person": PERSON}


def features(facts: Facts) -> dict[str, Floats]:
    """Return the features by name, one number for each dial."""
    weekend = (facts.weekday >= 5).astype(float)
    mobile, fixed = ((facts.kind == kind).astype(float) for kind in (MOBILE, FIXED))
    groups = {"": np.ones(len(facts)), " mobile": mobile, " fixed": fixed, " weekend": weekend}
    angle = facts.hour * (2.0 * np.pi / 24.0)
    made = {
        f"{name} {wave}{group}": function(wave * angle) * of_group
        for group, of_group in groups.items()
        for wave in range(1, _WAVES + 1)
        for name, function in (("sin", np.sin), ("cos", np.cos))
    }
    made |= {f"weekday {day}": (facts.weekday == day).astype(float) for day in range(1, 7)}
    made |= {"mobile": mobile, "fixed": fixed}
    made |= {"mobile weekend": mobile * weekend, "fixed weekend": fixed * weekend}
    return made | _of_history(facts)


def _of_history(facts: Facts) -> dict[str, Floats]:
    tried = (facts.tries > 0).astype(float)
    gap = np.cos(np.nan_to_num(facts.hour_gap) * (2.0 * np.pi / 24.0)) * tried
    person_last = (facts.last == PERSON).astype(float)
    missed_here = facts.tries_here - facts.answered_here
    span = np.digitize(np.nan_to_num(facts.hours_since), _SINCE)
    made = {
        "tried": tried,
        "tries": np.log1p(facts.tries),
        "answered": np.log1p(facts.answered),
        "ever answered": (facts.answered > 0).astype(float),
        "answered here": np.log1p(facts.answered_here),
        "missed here": np.log1p(missed_here),
        "missed elsewhere": np.log1p(facts.tries - facts.answered - missed_here),
        "same time, person": gap * person_last,
        "same time, nobody": gap * (1.0 - person_last),
    }
    made |= {f"last {name}": (facts.last == code).astype(float) for name, code in _OUTCOMES.items()}
    made |= {f"before {name}": (facts.before_last == code).astype(float) for name, code in _OUTCOMES.items()}
    return made | {f"since {place}": (span == place) * tried for place in range(1, len(_SINCE) + 1)}


def matrix(facts: Facts) -> tuple[list[str], Floats]:
    """Return names and values, dials by features."""
    made = features(facts)
    return list(made), np.column_stack(list(made.values())) if len(facts) else np.zeros((0, len(made)))
