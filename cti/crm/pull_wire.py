"""Orders, answers and standings of pulls as JSON values and back. Pure."""

from typing import Any, Final

from pydantic import TypeAdapter

from cti.crm.wire import read_as
from cti.model.crm_pulls import PullAnswer, PullOrder, PullStanding

_ORDER: Final = TypeAdapter(PullOrder)
_ANSWER: Final = TypeAdapter(PullAnswer)
_STANDING: Final = TypeAdapter(PullStanding)


def order_record(order: PullOrder) -> Any:
    """Return it as JSON values."""
    return _ORDER.dump_python(order, mode="json")


def order_of(record: Any) -> PullOrder:
    """Read it back. Raises BadInput."""
    return read_as(_ORDER, record, "order")


def answer_record(answer: PullAnswer) -> Any:
    """Return it as JSON values."""
    return _ANSWER.dump_python(answer, mode="json")


def answer_of(record: Any) -> PullAnswer:
    """Read it back. Raises BadInput."""
    return read_as(_ANSWER, record, "answer")


def standing_record(standing: PullStanding) -> Any:
    """Return it as JSON values."""
    return _STANDING.dump_python(standing, mode="json")


def standing_of(record: Any) -> PullStanding:
    """Read it back. Raises BadInput."""
    return read_as(_STANDING, record, "standing")
