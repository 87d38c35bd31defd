"""Finds in what our calls and their records in a CRM do not agree. Pure: both sides in, findings out.

Nothing is judged that is under way: calls with work that waits, and those that were written or ended a moment ago.
What to do about a finding stands in it; whoever writes it down refuses where the call has changed meanwhile.
"""

from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from crm_sync.differences import Difference, differences, home_differs
from crm_sync.fingerprint import (
    HOME,
    fingerprint,
    is_same,
    may_be,
    of_places,
    print_of,
    print_of_home,
    prints_of,
    reopened,
)
from crm_sync.mapping import Mapping
from crm_sync.port import CallWrite, Written
from cti.errors import BadInput
from cti.model.crm import Link, RecordRef
from cti.model.crm_reconciliation import Finding, FindingKind, Found, Mended, OurCall

GRACE: Final = timedelta(minutes=10)
"""A CRM's search may lag behind its writes, and a call's recording and transcript come within minutes."""
FEW_GONE: Final = 5
SHARE_GONE: Final = 0.2
"""So many calls, or this share of those looked at together, may be gone before it is rather a right that was lost."""
MENDED: Final = {
    FindingKind.DELETED: Mended.FLAGGED,
    FindingKind.UNLINKED: Mended.REMEMBERED,
    FindingKind.RESTORED: Mended.REMEMBERED,
}


@dataclass(frozen=True, slots=True)
class Looking:
    """How both sides are held together."""

    now: datetime
    mapping: Mapping
    exact_seconds: float = 1.0
    grace: timedelta = GRACE
    overwrite: bool = False
    """Write over what a person changed there."""
    flag_many: bool = False
    """Remember deletions however many they are."""


def findings_of(ours: Sequence[OurCall], there: Map[str, Sequence[Written]], looking: Looking) -> list[Found]:
    """Return in what these calls and what stands there for them (by call id; none: left out) do not agree."""
    calls = [call for call in ours if is_settled(call, looking)]
    found = [one for call in calls for one in _judged(call, there.get(call.log.call_id, ()), looking)]
    known = sum(call.link.remote is not None for call in calls)
    return found if looking.flag_many else _braked(found, known=known)


def own_side(ours: Sequence[OurCall], looking: Looking) -> list[Found]:
    """Return what can be told without the CRM: calls that were never written, or began to be, and nobody works on."""
    calls = [call for call in ours if is_settled(call, looking)]
    return [
        one
        for call in calls
        if call.link.deleted_at is None and (call.link.unsure or not call.link.version)
        for one in _never_written(call)
    ]


def foreign(there: Map[str, Sequence[Written]], known: Collection[str]) -> list[Found]:
    """Return what bears our mark and is no call of ours. `known`: which of the ids are."""
    return [
        Found(
            finding=Finding(
                kind=FindingKind.FOREIGN,
                call_id=call_id,
                remotes=_refs(records),
                detail="there is no such call here",
            )
        )
        for call_id, records in there.items()
        if call_id not in known
    ]


def is_settled(call: OurCall, looking: Looking) -> bool:
    """Return whether a call can be judged: nothing waits for it, and nothing happened to it a moment ago."""
    moments = (call.log.ended_at, call.link.pushed_at, call.link.sending_at)
    return not call.busy and all(at is None or at <= looking.now - looking.grace for at in moments)


def by_call(records: Sequence[Written]) -> dict[str, list[Written]]:
    """Return records by call; one that came twice counts once, as it came last."""
    by_ref = {(one.call_id, one.remote): one for one in records}
    found: dict[str, list[Written]] = {}
    for one in by_ref.values():
        found.setdefault(one.call_id, []).append(one)
    return found


def kept(link: Link, records: Sequence[Written]) -> Written:
    """Return which of several records stays: the one we know, else that of the smallest id."""
    ours = [one for one in records if _is_known(link, one)]
    return min(ours or records, key=lambda one: (len(one.remote.id), one.remote.id))


def _judged(call: OurCall, records: Sequence[Written], looking: Looking) -> Iterator[Found]:
    link = call.link
    if not records:
        if link.deleted_at is None:
            yield from _absent(call, looking)
        return
    if link.deleted_at is not None:
        yield from _restored(call, records)
        return
    stays = kept(link, records)
    if len(records) > 1:
        extra = [one for one in records if one is not stays]
        detail = f"{len(records)} records; {stays.remote} stays"
        yield _found(call, FindingKind.DOUBLE, remotes=_refs([stays, *extra]), detail=detail)
    if not _is_known(link, stays):
        mark = _of_places(call, looking)
        after = replace(link, remote=stays.remote, fingerprint=mark, sending_at=None)
        detail = f"remembered was {link.remote}" if link.remote else "no record was remembered"
        yield _found(
            call, FindingKind.UNLINKED, remotes=(stays.remote,), detail=detail, after=after, push=True
        )
        return
    yield from _compared(call, stays, looking)


def _absent(call: OurCall, looking: Looking) -> Iterator[Found]:
    """A record that we know and that is gone was deleted; without one nothing came to stand there."""
    link = call.link
    if link.remote is None:
        yield from _never_written(call)
        return
    after = replace(link, deleted_at=looking.now, sending_at=None)
    detail = "somebody deleted it there"
    yield _found(call, FindingKind.DELETED, remotes=(link.remote,), detail=detail, after=after)


def _never_written(call: OurCall) -> Iterator[Found]:
    link = call.link
    if not link.version and not call.wanted:
        return
    if link.version or link.unsure:
        yield _again(call, FindingKind.MISSING, "a write began and no work waits to end it")
    else:
        yield _again(call, FindingKind.UNWRITTEN, "it was never written, and no work waits for it")


def _again(call: OurCall, kind: FindingKind, detail: str) -> Found:
    """Have it written, by somebody who looks first: it may have come to stand there since."""
    after = replace(call.link, fingerprint="", sending_at=call.link.sending_at or call.log.ended_at)
    return _found(call, kind, detail=detail, after=after, push=True)


def _restored(call: OurCall, records: Sequence[Written]) -> Iterator[Found]:
    back = [one for one in records if _is_known(call.link, one)]
    after = replace(call.link, deleted_at=None) if back else None
    detail = "" if back else "as another record than the one that was deleted"
    yield _found(
        call, FindingKind.RESTORED, remotes=_refs(records), detail=detail, after=after, push=bool(back)
    )


def _compared(call: OurCall, one: Written, looking: Looking) -> Iterator[Found]:
    link = call.link
    try:
        write = looking.mapping.write(call.log, link)
    except BadInput as error:
        yield _found(call, FindingKind.DIFFERING, detail=f"cannot be written any more: {error}")
        return
    last = prints_of(link.fingerprint) if link.fingerprint else {}
    differing = list(differences(write, one, looking.mapping, looking.exact_seconds))
    by_hand = [each for each in differing if _is_by_hand(each, last, link, write)]
    names = [each.name for each in differing]
    stale = {*names}
    if home_differs(write, one):
        if _is_stale(HOME, print_of_home(one.home), last):
            names.append("home")
            stale.add(HOME)
        else:
            yield _moved(call, one, write, push=looking.overwrite and not differing)
    if names:
        push = looking.overwrite or not by_hand
        mark = "" if looking.overwrite else reopened(link.fingerprint, stale)
        detail = "; ".join(str(each) for each in differing)
        if by_hand:
            detail += "; changed there by somebody: " + ", ".join(each.name for each in by_hand)
        yield _found(
            call,
            FindingKind.DIFFERING,
            remotes=(one.remote,),
            fields=tuple(names),
            detail=detail,
            after=replace(link, fingerprint=mark) if push else None,
            push=push,
        )


def _moved(call: OurCall, one: Written, write: CallWrite, *, push: bool) -> Found:
    """A person put it on another record. Where it differs besides, one push on order is enough."""
    detail = f"it is on {one.home or 'no record'}; ours would be on {write.home or 'none'}"
    after = replace(call.link, fingerprint="") if push else None
    return _found(call, FindingKind.MOVED, remotes=(one.remote,), detail=detail, after=after, push=push)


def _of_places(call: OurCall, looking: Looking) -> str:
    """Return what is known of the writing of a record that was not known: it may have been moved since."""
    try:
        return of_places(looking.mapping.write(call.log, call.link))
    except BadInput:
        return ""


def _is_by_hand(each: Difference, last: Map[str, str] | None, link: Link, write: CallWrite) -> bool:
    """Return whether a person changed it: it is neither what was written last nor what would be written now.

    Start and length are the call's own and never change here: written once, and as it is now, a person changed them.
    """
    if each.name in write.fields:
        return not _is_stale(each.name, print_of(each.there), last)
    return is_same(fingerprint(write), link.fingerprint)


def _is_stale(name: str, there: str, last: Map[str, str] | None) -> bool:
    """Return whether what stands there is what we wrote last, so that ours is newer.

    Forgotten (no prints): it was to be written whatever stands there. Too old to tell (None): it is not touched.
    A field that was not written last time is new in ours, whatever stood there before.
    """
    if last is None:
        return False
    return there in may_be(last.get(name, there))


def _braked(found: list[Found], *, known: int) -> list[Found]:
    """Return the findings without remembering deletions when they are too many to be the work of people."""
    gone = sum(one.finding.kind is FindingKind.DELETED for one in found)
    if gone <= max(FEW_GONE, SHARE_GONE * known):
        return found
    said = "not remembered: too many at once; may we still see them there?"
    return [
        replace(one, after=None, finding=replace(one.finding, detail=said, mended=Mended.NOTHING))
        if one.finding.kind is FindingKind.DELETED
        else one
        for one in found
    ]


def _found(
    call: OurCall,
    kind: FindingKind,
    *,
    remotes: Sequence[RecordRef] = (),
    fields: tuple[str, ...] = (),
    detail: str = "",
    after: Link | None = None,
    push: bool = False,
) -> Found:
    mended = MENDED.get(kind, Mended.PUSHED) if after is not None else Mended.NOTHING
    finding = Finding(
        kind=kind,
        call_id=call.log.call_id,
        remotes=tuple(remotes),
        fields=fields,
        detail=detail,
        mended=mended,
    )
    return Found(finding=finding, before=call.link, after=after, push=push)


def _is_known(link: Link, one: Written) -> bool:
    return link.remote is not None and link.remote.id == one.remote.id


def _refs(records: Sequence[Written]) -> tuple[RecordRef, ...]:
    return tuple(one.remote for one in records)
