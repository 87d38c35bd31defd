"""Orders and settlements as JSON values and back, for a process that takes them over the API. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from cti.errors import BadInput
from cti.model.crm import PushOrders, Rate, Settlement, TargetStanding
from cti.model.work import Work

Value = TypeVar("Value")

_ORDERS: Final = TypeAdapter(PushOrders)
_WORKS: Final = TypeAdapter(list[Work])
_SETTLEMENTS: Final = TypeAdapter(list[Settlement])
_RATE: Final = TypeAdapter(Rate)
_STANDING: Final = TypeAdapter(TargetStanding)


def orders_record(orders: PushOrders) -> Any:
    """Return them as JSON values."""
    return _ORDERS.dump_python(orders, mode="json")


def orders_of(record: Any) -> PushOrders:
    """Read them back. Raises BadInput."""
    return read_as(_ORDERS, record, "orders")


def works_record(works: Sequence[Work]) -> Any:
    """Return them as JSON values."""
    return _WORKS.dump_python(list(works), mode="json")


def works_of(record: Any) -> list[Work]:
    """Read them back. Raises BadInput."""
    return read_as(_WORKS, record, "works")


def settlements_record(settlements: Sequence[Settlement]) -> Any:
    """Return them as JSON values."""
    return _SETTLEMENTS.dump_python(list(settlements), mode="json")


def settlements_of(record: Any) -> list[Settlement]:
    """Read them back. Raises BadInput."""
    return read_as(_SETTLEMENTS, record, "settlements")


def rate_record(rate: Rate) -> Any:
    """Return it as JSON values."""
    return _RATE.dump_python(rate, mode="json")


def rate_of(record: Mapping[str, Any]) -> Rate:
    """Read it back. Raises BadInput."""
    return read_as(_RATE, record, "rate")


def standing_record(standing: TargetStanding) -> Any:
    """Return it as JSON values."""
    return _STANDING.dump_python(standing, mode="json")


def standing_of(record: Any) -> TargetStanding:
    """Read it back. Raises BadInput."""
    return read_as(_STANDING, record, "standing")


def read_as(kind: TypeAdapter[Value], record: Any, where: str) -> Value:
    """Read JSON values as what they should be. Raises BadInput: which of them, and why."""
    try:
        return kind.validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise BadInput(f"{where}.{place}: {first['msg']}") from None
