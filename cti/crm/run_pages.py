"""What a page of a reconciliation leaves behind. Pure; shared by the stores."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cti.crm.targets import ASKED_FOR, kind_of
from cti.model.crm import Link
from cti.model.crm_reconciliation import Finding, Found, PageResult, Reconciliation
from cti.model.work import NewWork


def still_true(
    target: str, found: Sequence[Found], links: Mapping[str, Link], busy: Collection[str]
) -> list[Found]:
    """Return what is about calls that are as they were when they were looked at."""

    def holds(one: Found) -> bool:
        call_id = one.finding.call_id
        link = links.get(call_id, Link(target=target, call_id=call_id))
        return one.before is None or (link == one.before and call_id not in busy)

    return [one for one in found if holds(one)]


def after_page(run: Reconciliation, page: PageResult, findings: Sequence[Finding]) -> Reconciliation:
    """Return the run after a page of which these findings were still true."""
    counts = Counter(run.counts) + Counter(one.kind.value for one in findings)
    mended = Counter(run.mended) + Counter(one.mended.value for one in findings if one.mended)
    return replace(
        run,
        looked=run.looked + page.looked,
        there=run.there + page.there,
        requests=run.requests + page.requests,
        counts=dict(counts),
        mended=dict(mended),
        reached=page.reached,
        reached_at=page.reached_at,
    )


def push_of(target: str, call_id: str) -> NewWork:
    """Return the work that has a call written again."""
    return NewWork(kind=kind_of(target), key=call_id, payload={"call_id": call_id}, priority=ASKED_FOR)
