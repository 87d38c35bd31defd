"""What the probe calls proved: events, recording and CEL rows -> findings. Pure.

`ok=None` where something before it failed, so that one cause is told once.
"""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from sys import byteorder
from typing import Final

from cti.ami.message import Message
from cti.model.findings import Finding
from cti.node.cel_rows import CelRow
from cti.node.probe import GRACE_SECONDS, Joined, Unfetched
from cti.node.story import meetings, story
from cti.node.wire import Heard

_CLOCK_SECONDS: Final = 1.0
"""Reconciliation holds our times beside the node's to one second."""
_LENGTH_SECONDS: Final = 0.5
_RATE, _CHANNELS, _SAMPLE_BYTES = 8000, 2, 2

_DIALPLAN_MEND: Final = "compare the node's extensions_cti.conf with the one that comes with this version"
_READ_MEND: Final = "take the `read` line of manager_cti.conf and run `manager reload`"
_CEL_MEND: Final = (
    "take cel.conf and cel_custom.conf as they come with this version, make the folder <astlogdir>/cel-custom, "
    "and run `module reload cel` and `module reload cel_custom`"
)


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


def sound_finding(node: str, raw: bytes, expected_seconds: float, played: bool) -> Finding:
    """Judge the probe's recording: its length, and that the customer is on the left and alone during the grace."""
    subject = "recording"
    mend = "load app_mixmonitor, keep its options as in extensions_cti.conf (`.raw`, D), set transmit_silence = yes"
    seconds = len(raw) / (_RATE * _CHANNELS * _SAMPLE_BYTES)
    if abs(seconds - expected_seconds) > _LENGTH_SECONDS:
        told = f"it has {seconds:.2f} s as two channels of 8 kHz, the call had {expected_seconds:.2f} s"
        return Finding(node=node, subject=subject, ok=False, message=told, mend=mend)
    left, right = _loudest(raw)
    if played and not (left and not right):
        told = "the customer's voice is not on the left channel alone"
        return Finding(node=node, subject=subject, ok=False, message=told, mend=mend)
    told = f"{seconds:.2f} s of {expected_seconds:.2f} s, the customer on the left channel"
    return Finding(node=node, subject=subject, ok=True, message=told)


def _loudest(raw: bytes) -> tuple[int, int]:
    """Return the greatest sample of each channel in the first part of the grace, when only the customer speaks."""
    frames = int(GRACE_SECONDS * 0.8 * _RATE)
    samples = array("h", raw[: frames * _CHANNELS * _SAMPLE_BYTES])
    if byteorder == "big":
        samples.byteswap()
    return max(map(abs, samples[0::2]), default=0), max(map(abs, samples[1::2]), default=0)


def cel_findings(node: str, rows: Sequence[CelRow], unfetched: Unfetched, joined: Joined) -> list[Finding]:
    """Judge what the node wrote into its CEL file of the probe calls."""
    if not rows:
        told = "the node wrote no row of the probe calls into it"
        return [Finding(node=node, subject="CEL file", ok=False, message=told, mend=_CEL_MEND)]
    lacking = _lacking(node, rows, unfetched, joined)
    told = f"{len(rows)} rows of the probe calls came"
    if not lacking:
        return [Finding(node=node, subject="CEL file", ok=True, message=f"{told}, with all that is needed")]
    return [
        Finding(
            node=node,
            subject="CEL file",
            ok=False,
            message=f"{told}, without {', '.join(lacking)}",
            mend=_CEL_MEND,
        )
    ]


def _lacking(node: str, rows: Sequence[CelRow], unfetched: Unfetched, joined: Joined) -> list[str]:
    """Name the facts that should be told by the rows and are not."""
    met = meetings(rows)
    his = [row for row in rows if row.channel_id == unfetched.channel_id]
    lacking = []
    if unfetched.hung_up and his:
        told = story(node, his, met)
        facts = {
            "CHAN_START": told.started_at,
            "ANSWER": told.answered_at,
            "CTI_DROPPED": told.dropped_at,
            "HANGUP": told.ended_at,
            "the hangupcause": told.cause,
            "the channel's name": told.channel,
        }
        lacking += [name for name, fact in facts.items() if fact is None]
    elif unfetched.hung_up:
        lacking.append("the channel's own id")
    his = [row for row in rows if row.channel_id == joined.customer_id]
    if joined.met and his:
        stays = story(node, his, met).stays
        if not stays:
            lacking.append("BRIDGE_ENTER")
        elif stays[0].left_at is None:
            lacking.append("BRIDGE_EXIT")
        elif stays[0].peer is None:
            lacking.append("the other channel of a bridge")
    return lacking
