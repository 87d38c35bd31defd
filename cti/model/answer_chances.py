"""What was learned of who answers when, and how well it held."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from cti.model.calls import Outcome

ANSWERED_BY_PERSON: Final = frozenset({Outcome.CONNECTED, Outcome.DROPPED, Outcome.GONE_EARLY})
LEARNED_FROM: Final = ANSWERED_BY_PERSON | {Outcome.MACHINE, Outcome.NO_ANSWER, Outcome.BUSY}
"""Failed and lost attempts say nothing of who would have answered."""


class PastAttempt(NamedTuple):
    """One ended attempt."""

    call_id: str
    contact_id: int
    placed_at: datetime
    ended_at: datetime
    outcome: Outcome
    kind: str
    """Of the number that was dialed, as `numbers.kind` says; empty: not known."""
    zone: str
    """IANA name of the contact's time zone; empty: not known."""


class Callee(NamedTuple):
    """What a chance depends on beside the attempts so far."""

    kind: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """How well chances foretold what happened. The smaller the better, all three."""

    brier: float
    """Mean square of chance - what happened (0 or 1)."""
    log_loss: float
    """Mean of -ln(the chance given to what happened)."""
    calibration_error: float
    """Mean distance of foretold and observed rate, over tenths of the attempts in order of their chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Attempts with chances close together."""

    attempts: int
    foretold: float
    """Mean of their chances."""
    observed: float
    """Share that a person answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceFit:
    """One fit of a campaign's answer chances: kept whether it may be used or not."""

    campaign_id: int
    fitted_at: datetime
    used: bool
    why: str
    """A sentence: why it is used, or why not."""
    attempts: int
    """Learned from, those held out included."""
    answered: int
    """Of these, by a person."""
    held_out: int = 0
    """The newest attempts, which were kept for judging."""
    measures: Mapping[str, Measures] = field(default_factory=dict)
    """On the held-out attempts, by what foretold: `learned`, and the baselines `campaign` and `hour`."""
    bins: tuple[Bin, ...] = ()
    """Reliability of the learned chances on the held-out attempts, lowest chance first."""
    model: Mapping[str, Any] | None = None
    """Weights by feature; None where nothing was learned."""
    id: int = 0
    """Number of the fit; a newer one replaces an older one."""


def judgement_record(fit: ChanceFit) -> dict[str, Any]:
    """Return what was measured on the held-out attempts as JSON values."""
    return {
        "held_out": fit.held_out,
        "measures": {name: asdict(one) for name, one in fit.measures.items()},
        "bins": [asdict(one) for one in fit.bins],
    }


def judgement_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Read it again, as fields of `ChanceFit`."""
    return {
        "held_out": record["held_out"],
        "measures": {name: Measures(**one) for name, one in record["measures"].items()},
        "bins": tuple(Bin(**one) for one in record["bins"]),
    }
