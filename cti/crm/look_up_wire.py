"""Numbers to look up, and answers, as JSON values and back. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import TypeAdapter

from cti.crm.wire import read_as
from cti.model.look_ups import LookUp, LookUpAnswer

_LOOK_UPS: Final = TypeAdapter(tuple[LookUp, ...])
_ANSWER: Final = TypeAdapter(LookUpAnswer)


def look_ups_record(look_ups: Sequence[LookUp]) -> Any:
    """Return them as JSON values."""
    return _LOOK_UPS.dump_python(tuple(look_ups), mode="json")


def look_ups_of(record: Any) -> tuple[LookUp, ...]:
    """Read them back. Raises BadInput."""
    return read_as(_LOOK_UPS, record, "look_ups")


def answer_record(answer: LookUpAnswer) -> Any:
    """Return it as JSON values."""
    return _ANSWER.dump_python(answer, mode="json")


def answer_of(record: Any) -> LookUpAnswer:
    """Read it back. Raises BadInput."""
    return read_as(_ANSWER, record, "answer")
