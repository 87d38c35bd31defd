"""Reconciliations as JSON values and back, for a process that carries them out over the API. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import TypeAdapter

from cti.crm.wire import read_as
from cti.model.crm_reconciliation import OurCall, OurPage, PageResult, ReconcileOrder

_ORDER: Final = TypeAdapter(ReconcileOrder)
_PAGE: Final = TypeAdapter(OurPage)
_CALLS: Final = TypeAdapter(tuple[OurCall, ...])
_RESULT: Final = TypeAdapter(PageResult)


def order_record(order: ReconcileOrder) -> Any:
    """Return it as JSON values."""
    return _ORDER.dump_python(order, mode="json")


def order_of(record: Any) -> ReconcileOrder:
    """Read it back. Raises BadInput."""
    return read_as(_ORDER, record, "order")


def page_record(page: OurPage) -> Any:
    """Return it as JSON values."""
    return _PAGE.dump_python(page, mode="json")


def page_of(record: Any) -> OurPage:
    """Read it back. Raises BadInput."""
    return read_as(_PAGE, record, "page")


def calls_record(calls: Sequence[OurCall]) -> Any:
    """Return them as JSON values."""
    return _CALLS.dump_python(tuple(calls), mode="json")


def calls_of(record: Any) -> tuple[OurCall, ...]:
    """Read them back. Raises BadInput."""
    return read_as(_CALLS, record, "calls")


def result_record(result: PageResult) -> Any:
    """Return it as JSON values."""
    return _RESULT.dump_python(result, mode="json")


def result_of(record: Any) -> PageResult:
    """Read it back. Raises BadInput."""
    return read_as(_RESULT, record, "result")
