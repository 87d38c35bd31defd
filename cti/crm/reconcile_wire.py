"""Reconciliations as JSON values and back, in pairs as `cti.crm.wire` has them. Pure."""

from cti.crm.wire import pair, pair_of_many
from cti.model.crm_reconciliation import OurCall, OurPage, PageResult, ReconcileOrder

order_record, order_of = pair(ReconcileOrder, "order")
page_record, page_of = pair(OurPage, "page")
calls_record, calls_of = pair_of_many(OurCall, "calls")
result_record, result_of = pair(PageResult, "result")
