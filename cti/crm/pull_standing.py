"""How far a pull has come after what it read. Pure; shared by the stores."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

from cti.crm.doubts import is_of_check
from cti.model.crm_pulls import PullAnswer, PullStanding, PullStep


def taken(before: PullStanding, answer: PullAnswer, counts: Counter[str], *, at: datetime) -> PullStanding:
    """Return the standing after an answer was taken."""
    total = Counter(before.counts)
    total.update({word: count for word, count in counts.items() if count})
    after = replace(before, counts=dict(total))
    failed_step_went_well = is_of_check(before.error) is not (answer.step is PullStep.PAGE)
    if failed_step_went_well:
        after = replace(after, error="", error_at=None)
    if answer.step is PullStep.DELETED:
        return replace(after, sweep_after=answer.cursor, swept_at=before.swept_at if answer.cursor else at)
    if answer.step is not PullStep.PAGE:
        return after
    return replace(
        after,
        cursor=answer.cursor,
        more=answer.more,
        page_at=at,
        asked_at=before.asked_at if answer.more else None,
        swept_at=before.swept_at or at,
    )
