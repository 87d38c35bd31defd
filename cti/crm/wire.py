"""Orders and settlements as JSON values and back, for a process that takes them over the API. Pure.

Of each pair `X_record` returns JSON values, and `X_of` reads them back; it raises BadInput.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from cti.errors import BadInput
from cti.model.crm import PushOrders, Rate, Settlement, TargetStanding
from cti.model.work import Work

Value = TypeVar("Value")


def read_as(kind: TypeAdapter[Value], record: Any, where: str) -> Value:
    """Read JSON values as what they should be. Raises BadInput: which of them, and why."""
    try:
        return kind.validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise BadInput(f"{where}.{place}: {first['msg']}") from None


def pair(kind: type[Value], where: str) -> tuple[Callable[[Value], Any], Callable[[Any], Value]]:
    """Return how a value becomes JSON values, and back. `where`: what it is called in errors."""
    adapter = TypeAdapter(kind)

    def record(value: Value) -> Any:
        return adapter.dump_python(value, mode="json")

    def read(given: Any) -> Value:
        return read_as(adapter, given, where)

    return record, read


def pair_of_many(
    kind: type[Value], where: str
) -> tuple[Callable[[Sequence[Value]], Any], Callable[[Any], list[Value]]]:
    """Return how values of a kind become a JSON array, and back."""
    of_list, read = pair(list[kind], where)  # type: ignore[valid-type]

    def record(values: Sequence[Value]) -> Any:
        return of_list(list(values))

    return record, read


orders_record, orders_of = pair(PushOrders, "orders")
works_record, works_of = pair_of_many(Work, "works")
settlements_record, settlements_of = pair_of_many(Settlement, "settlements")
rate_record, rate_of = pair(Rate, "rate")
standing_record, standing_of = pair(TargetStanding, "standing")
