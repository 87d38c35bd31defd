"""What the events of the probe calls proved. Pure.

`ok=None` where something before it failed, so that one cause is told once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cti.ami.message import Message
from cti.model.findings import Finding
from cti.node.probe import Joined, Unfetched
from cti.node.wire import Heard

_CLOCK_SECONDS: Final = 1.0
"""Reconciliation holds our times beside the node's to one second."""

_DIALPLAN_MEND: Final = "compare the node's extensions_cti.conf with the one that comes with this version"
_READ_MEND: Final = "take the `read` line of manager_cti.conf and run `manager reload`"


def event_findings(
    node: str, heard: Sequence[Heard], system_event: Message | None, placed: bool
) -> list[Finding]:
    """Judge the rights to read, `timestampevents` and the clock. `placed`: Asterisk took a probe call."""
    classes = {one.event.text("Privilege").partition(",")[0] for one in heard}
    return [
        _read_right(node, "call", "call" in classes, "what calls and bridges do", known=placed),
        _read_right(node, "user", "user" in classes, "what the dialplan tells", known="call" in classes),
        _read_right(node, "system", system_event is not None, "what phones do"),
        *_times(node, heard),
    ]


def _read_right(node: str, right: str, seen: bool, what: str, *, known: bool = True) -> Finding:
    subject = f"AMI right {right} (read)"
    if seen:
        return Finding(node=node, subject=subject, ok=True, message=f"an event of the class {right} came")
    if not known:
        return Finding(
            node=node, subject=subject, ok=None, message="no probe call came far enough to show it"
        )
    told = f"no event of the class {right} came; the daemon would not see {what}"
    return Finding(node=node, subject=subject, ok=False, message=told, mend=_READ_MEND)


def _times(node: str, heard: Sequence[Heard]) -> list[Finding]:
    if not heard:
        return [Finding(node=node, subject="timestampevents", ok=None, message="no event came")]
    stamps = [(one.event.text("Timestamp"), one.at) for one in heard]
    if not all(stamp for stamp, _ in stamps):
        mend = "set timestampevents = yes under [general] in manager.conf and run `manager reload`"
        told = "the events carry no time of their own"
        return [Finding(node=node, subject="timestampevents", ok=False, message=told, mend=mend)]
    apart = min(
        ((at - datetime.fromtimestamp(float(stamp), UTC)).total_seconds() for stamp, at in stamps), key=abs
    )
    ok = abs(apart) <= _CLOCK_SECONDS
    told = f"the node's clock and ours are {abs(apart):.3f} s apart"
    mend = "" if ok else "let both machines take their time from one source (NTP)"
    return [
        Finding(node=node, subject="timestampevents", ok=True, message="the events carry their own time"),
        Finding(node=node, subject="clock", ok=ok, message=told, mend=mend),
    ]


def safety_net_findings(node: str, seen: Unfetched, sound: str) -> list[Finding]:
    """Judge what the dialplan did with a customer nobody fetched."""
    steps = (
        ("probe call", seen.up, "a call into cti-customer was answered", "no call into cti-customer came up"),
        ("UserEvent CtiWaiting", seen.waiting, "it came", "the dialplan did not say that he waits"),
        (
            "UserEvent CtiDropped",
            seen.dropped,
            "it came at the end of the grace",
            "he was not dropped after the grace",
        ),
        (
            "UserEvent CtiMessage",
            seen.message,
            "it came after the message",
            "the end of the message was not told",
        ),
        (
            "hang-up",
            seen.hung_up,
            "the dialplan hung up by itself",
            "the dialplan did not hang up after the message",
        ),
    )
    findings, before = [], True
    for subject, event, good, bad in steps:
        if event is None:
            ok = False if before else None
            told = f"{bad}{f': {seen.refusal}' if seen.refusal else ''}" if before else "it was not reached"
            mend = _DIALPLAN_MEND if before else ""
            findings.append(Finding(node=node, subject=subject, ok=ok, message=told, mend=mend))
        else:
            findings.append(Finding(node=node, subject=subject, ok=True, message=good))
        before = event is not None
    return [*findings, _message_finding(node, seen.message, sound)]


def _message_finding(node: str, event: Message | None, sound: str) -> Finding:
    subject = f"sound {sound}"
    if event is None:
        return Finding(node=node, subject=subject, ok=None, message="no message was played")
    if event.text("Status") == "SUCCESS":
        return Finding(node=node, subject=subject, ok=True, message="it was played to the end")
    mend = f"put {sound}.wav (8 kHz, 16 bit, mono) into the node's sounds folder, or name another `dialer.message`"
    told = "Asterisk could not play it: whoever is not fetched in time would hear silence"
    return Finding(node=node, subject=subject, ok=False, message=told, mend=mend)


def joining_findings(node: str, seen: Joined) -> list[Finding]:
    """Judge what came of joining customers to a kept leg."""
    why = f": {seen.refusal}" if seen.refusal else ""
    steps = (
        (
            "agent's leg",
            bool(seen.leg_waits),
            "it waits in a holding bridge",
            f"it does not wait in cti-agent{why}",
        ),
        ("Bridge", seen.met, "customer and leg met in one bridge", f"customer and leg did not meet{why}"),
        ("agent's leg after a talk", seen.came_back, "it came back to wait", "it did not come back to wait"),
        (
            "CTI_TAKEN",
            seen.second_ended is not None and not seen.second_dropped,
            "a customer whose agent's leg died was hung up and not called dropped",
            "a customer whose agent's leg died was not just hung up, or was called dropped",
        ),
    )
    findings, before = [], True
    for subject, ok, good, bad in steps:
        if ok:
            findings.append(Finding(node=node, subject=subject, ok=True, message=good))
        elif before:
            findings.append(Finding(node=node, subject=subject, ok=False, message=bad, mend=_DIALPLAN_MEND))
        else:
            findings.append(Finding(node=node, subject=subject, ok=None, message="it was not reached"))
        before = ok
    return findings
