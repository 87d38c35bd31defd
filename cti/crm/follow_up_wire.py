"""Orders and settlements of follow-ups as JSON values and back, in pairs as `cti.crm.wire` has them. Pure."""

from cti.crm.wire import pair, pair_of_many
from cti.model.follow_ups import FollowOrders, FollowSettlement

orders_record, orders_of = pair(FollowOrders, "orders")
settlements_record, settlements_of = pair_of_many(FollowSettlement, "settlements")
