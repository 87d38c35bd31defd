"""Our calls beside Asterisk's own records of their channels. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from cti.model.calls import Call, EndReason
from cti.model.ids import call_of_channel
from cti.model.reconciliation import Difference
from cti.model.stories import Story

TOLERANCE: Final = timedelta(seconds=1)
"""Asterisk stamps a fact in its records and in the event it sends us at two moments of its own."""
_NEVER_A_CHANNEL: Final = frozenset({EndReason.NOT_SENT, EndReason.NO_TRACE})


def differences(calls: Iterable[Call], stories: Mapping[str, Story]) -> list[Difference]:
    """Return in what the ended calls and the stories (by channel id) do not agree; calls not ended are left out."""
    found: list[Difference] = []
    for call in calls:
        if call.ended:
            story = stories.get(call.channel_id)
            found += _without_record(call) if story is None else _unequal(call, story)
    return found


def unknown_channels(stories: Iterable[Story], known: frozenset[str]) -> list[Difference]:
    """Return the customers' channels on the node that belong to no call whose id is known here."""
    return [
        Difference(
            node=story.node,
            channel_id=story.channel_id,
            call_id=None,
            subject="unknown_channel",
            ours=None,
            theirs=_text(story.started_at),
            message=f"{story.node} had the channel {story.channel_id} at {_text(story.started_at)}; "
            "no call here belongs to it",
        )
        for story in stories
        if (call_id := call_of_channel(story.channel_id)) is not None and call_id not in known
    ]


def _without_record(call: Call) -> list[Difference]:
    refused_outright = call.end_reason is EndReason.REFUSED and call.channel is None
    if call.end_reason in _NEVER_A_CHANNEL or refused_outright:
        return []
    what = f"the call {call.id} has no record on {call.node}; here it ended at {_text(call.ended_at)}"
    return [_difference(call, "no_record", call.end_reason, None, what)]


def _unequal(call: Call, story: Story) -> Iterator[Difference]:
    yield from _time(call, "answered_at", call.answered_at, story.answered_at)
    yield from _time(call, "dropped_at", call.dropped_at, story.dropped_at)
    yield from _time(call, "detected_at", call.detected_at, story.detected_at)
    if call.answered_by != story.answered_by:
        yield _unlike(call, "answered_by", call.answered_by, story.answered_by)
    yield from _time(call, "voicemail_at", call.voicemail_at, story.voicemail_at)
    yield from _joins(call, story)
    if call.end_reason is EndReason.NODE_LOST and story.ended_at is None:
        return  # Asterisk died with the channel up, so it could write neither an end nor a cause
    yield from _time(call, "ended_at", call.ended_at, story.ended_at)
    if call.cause != story.cause:
        yield _unlike(call, "cause", _text(call.cause), _text(story.cause))


def _joins(call: Call, story: Story) -> Iterator[Difference]:
    if len(call.joins) != len(story.stays):
        yield _unlike(call, "joins", str(len(call.joins)), str(len(story.stays)))
        return
    for place, (join, stay) in enumerate(zip(call.joins, story.stays, strict=True), start=1):
        yield from _time(call, f"join_{place}_joined_at", join.joined_at, stay.entered_at)
        left = join.left_at or call.ended_at
        if stay.left_at is not None or call.end_reason is not EndReason.NODE_LOST:
            yield from _time(call, f"join_{place}_left_at", left, stay.left_at)


def _time(call: Call, subject: str, ours: datetime | None, theirs: datetime | None) -> Iterator[Difference]:
    if ours is None and theirs is None:
        return
    if ours is None or theirs is None or abs(ours - theirs) > TOLERANCE:
        yield _unlike(call, subject, _text(ours), _text(theirs))


def _unlike(call: Call, subject: str, ours: str | None, theirs: str | None) -> Difference:
    what = (
        f"the call {call.id}: {subject} is {ours or 'unknown'} here and {theirs or 'unknown'} on {call.node}"
    )
    return _difference(call, subject, ours, theirs, what)


def _difference(call: Call, subject: str, ours: str | None, theirs: str | None, message: str) -> Difference:
    return Difference(
        node=call.node,
        channel_id=call.channel_id,
        call_id=call.id,
        subject=subject,
        ours=ours,
        theirs=theirs,
        message=message,
    )


def _text(value: datetime | int | None) -> str | None:
    match value:
        case None:
            return None
        case datetime():
            return value.isoformat(timespec="milliseconds")
        case _:
            return str(value)
