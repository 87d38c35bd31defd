"""Orders and settlements of follow-ups as JSON values and back. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import TypeAdapter

from cti.crm.wire import read_as
from cti.model.follow_ups import FollowOrders, FollowSettlement

_ORDERS: Final = TypeAdapter(FollowOrders)
_SETTLEMENTS: Final = TypeAdapter(list[FollowSettlement])


def orders_record(orders: FollowOrders) -> Any:
    """Return them as JSON values."""
    return _ORDERS.dump_python(orders, mode="json")


def orders_of(record: Any) -> FollowOrders:
    """Read them back. Raises BadInput."""
    return read_as(_ORDERS, record, "orders")


def settlements_record(settlements: Sequence[FollowSettlement]) -> Any:
    """Return them as JSON values."""
    return _SETTLEMENTS.dump_python(list(settlements), mode="json")


def settlements_of(record: Any) -> list[FollowSettlement]:
    """Read them back. Raises BadInput."""
    return read_as(_SETTLEMENTS, record, "settlements")
