"""What the files of the probe calls proved: the recording and the CEL rows. Pure."""

from array import array
from collections.abc import Sequence
from sys import byteorder
from typing import Final

from cti.model.findings import Finding
from cti.node.cel_rows import CelRow
from cti.node.probe import GRACE_SECONDS, Joined, Unfetched
from cti.node.story import meetings, story

_LENGTH_SECONDS: Final = 0.5
_RATE, _CHANNELS, _SAMPLE_BYTES = 8000, 2, 2

_CEL_MEND: Final = (
    "take cel.conf and cel_custom.conf as they come with this version, make the folder <astlogdir>/cel-custom, "
    "and run `module reload cel` and `module reload cel_custom`"
)


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
    lacking = []
    if unfetched.hung_up:
        lacking += _lacking_of_unfetched(
            node, [row for row in rows if row.channel_id == unfetched.channel_id]
        )
    his = [row for row in rows if row.channel_id == joined.customer_id]
    if joined.met and his:
        stays = story(node, his, meetings(rows)).stays
        if not stays:
            lacking.append("BRIDGE_ENTER")
        elif stays[0].left_at is None:
            lacking.append("BRIDGE_EXIT")
        elif stays[0].peer is None:
            lacking.append("the other channel of a bridge")
    return lacking


def _lacking_of_unfetched(node: str, rows: Sequence[CelRow]) -> list[str]:
    if not rows:
        return ["the channel's own id"]
    told = story(node, rows, {})
    facts = {
        "CHAN_START": told.started_at,
        "ANSWER": told.answered_at,
        "CTI_DROPPED": told.dropped_at,
        "HANGUP": told.ended_at,
        "the hangupcause": told.cause,
        "the channel's name": told.channel,
    }
    return [name for name, fact in facts.items() if fact is None]
