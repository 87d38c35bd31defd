"""Orders, answers and standings of pulls as JSON values and back, in pairs as `cti.crm.wire` has them. Pure."""

from cti.crm.wire import pair
from cti.model.crm_pulls import PullAnswer, PullOrder, PullStanding

order_record, order_of = pair(PullOrder, "order")
answer_record, answer_of = pair(PullAnswer, "answer")
standing_record, standing_of = pair(PullStanding, "standing")
