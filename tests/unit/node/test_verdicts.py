"""What is made of what the probe calls brought."""

from array import array
from datetime import UTC, datetime, timedelta

import pytest

from cti.ami.message import Message
from cti.model.findings import Finding
from cti.node.cel_rows import CelRow
from cti.node.file_verdicts import cel_findings, sound_finding
from cti.node.probe import Joined, Unfetched
from cti.node.questions import WRITE_RIGHTS, rights_finding, trunk_finding, version_finding
from cti.node.verdicts import event_findings, joining_findings, safety_net_findings
from cti.node.wire import Heard

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVENT = Message.of({"Event": "UserEvent", "Status": "SUCCESS"})
ALL_WELL = Unfetched(
    channel_id="waihu-p-0-unfetched", up=EVENT, waiting=EVENT, dropped=EVENT, message=EVENT, hung_up=EVENT
)
JOINED = Joined(
    leg_id="waihu-p-0-leg",
    customer_id="waihu-p-0-first",
    leg_waits=EVENT,
    met=True,
    came_back=True,
    second_ended=EVENT,
)


def standing(findings: list[Finding]) -> dict[str, bool | None]:
    return {finding.subject: finding.ok for finding in findings}


def heard(*privileges: str, apart: float = 0.0, stamped: bool = True) -> list[Heard]:
    stamp = {"Timestamp": f"{(AT - timedelta(seconds=apart)).timestamp():.6f}"} if stamped else {}
    return [Heard(Message.of({"Event": "x", "Privilege": f"{each},all", **stamp}), AT) for each in privileges]


@pytest.mark.parametrize(
    ("version", "ok"),
    [
        ("22.10.1+dfsg", True),
        ("18.0.0", True),
        ("certified/18.9-cert4", True),
        ("16.28.0", False),
        ("GIT-master", None),
        ("", None),
    ],
)
def test_asterisk_18_and_newer_are_taken(version: str, ok: bool | None) -> None:
    assert version_finding("pbx", version).ok is ok


@pytest.mark.parametrize(
    ("statuses", "ok", "mend"),
    [
        (["Reachable"], True, ""),
        (["Unreachable", "Reachable"], True, ""),
        (["NonQualified"], False, "qualify_frequency"),
        (["Unreachable"], False, "OPTIONS"),
        ([], False, "contact"),
    ],
)
def test_a_trunk_needs_one_contact_that_answers(statuses: list[str], ok: bool, mend: str) -> None:
    contacts = [Message.of({"URI": f"sip:{n}", "Status": status}) for n, status in enumerate(statuses)]
    found = trunk_finding("pbx", "trunk", contacts)
    assert found.ok is ok
    assert mend in found.mend


@pytest.mark.parametrize("right", WRITE_RIGHTS)
def test_a_right_is_what_asterisk_lists(right: str) -> None:
    listed = Message.of({"Response": "Success"} | dict.fromkeys(WRITE_RIGHTS[right], ""))
    assert rights_finding("pbx", right, listed).ok is True
    assert rights_finding("pbx", right, Message.of({"Response": "Success"})).ok is False


def test_events_of_every_class_with_times_prove_the_rights_and_the_clock() -> None:
    findings = event_findings("pbx", heard("call", "user", "system"), EVENT, placed=True)
    assert set(standing(findings).values()) == {True}


def test_without_a_probe_call_nothing_is_said_of_the_rights_to_its_events() -> None:
    got = standing(event_findings("pbx", heard("system"), EVENT, placed=False))
    assert (got["AMI right call (read)"], got["AMI right user (read)"]) == (None, None)


def test_calls_seen_and_the_dialplan_not_is_a_missing_right() -> None:
    got = standing(event_findings("pbx", heard("call"), EVENT, placed=True))
    assert got["AMI right user (read)"] is False


def test_a_clock_that_is_off_by_more_than_a_second_is_told() -> None:
    assert standing(event_findings("pbx", heard("call", apart=0.9), EVENT, placed=True))["clock"] is True
    assert standing(event_findings("pbx", heard("call", apart=-1.1), EVENT, placed=True))["clock"] is False


def test_events_without_times_are_told_and_the_clock_is_not_judged() -> None:
    got = standing(event_findings("pbx", heard("call", stamped=False), EVENT, placed=True))
    assert got["timestampevents"] is False
    assert "clock" not in got


def test_no_event_at_all_leaves_the_times_open() -> None:
    assert standing(event_findings("pbx", [], None, placed=True))["timestampevents"] is None


def test_a_safety_net_that_works_is_told_step_by_step() -> None:
    assert set(standing(safety_net_findings("pbx", ALL_WELL, "cti-sorry")).values()) == {True}


def test_only_the_first_step_that_fails_is_called_wrong() -> None:
    seen = Unfetched(channel_id="x", up=EVENT, waiting=EVENT)
    got = standing(safety_net_findings("pbx", seen, "cti-sorry"))
    assert got == {
        "probe call": True,
        "UserEvent CtiWaiting": True,
        "UserEvent CtiDropped": False,
        "UserEvent CtiMessage": None,
        "hang-up": None,
        "sound cti-sorry": None,
    }


def test_a_refused_probe_call_says_asterisk_s_own_words() -> None:
    [first, *_] = safety_net_findings(
        "pbx", Unfetched(channel_id="x", refusal="Extension does not exist."), "s"
    )
    assert (first.ok, first.message) == (
        False,
        "no call into cti-customer came up: Extension does not exist.",
    )


def test_a_leg_that_works_is_told_step_by_step() -> None:
    assert set(standing(joining_findings("pbx", JOINED)).values()) == {True}


def test_a_marked_customer_who_is_called_dropped_is_wrong() -> None:
    seen = Joined(
        leg_id="l",
        customer_id="c",
        leg_waits=EVENT,
        met=True,
        came_back=True,
        second_ended=EVENT,
        second_dropped=True,
    )
    assert standing(joining_findings("pbx", seen))["CTI_TAKEN"] is False


def test_a_leg_that_never_came_up_leaves_the_rest_open() -> None:
    got = standing(joining_findings("pbx", Joined(leg_id="l", customer_id="c")))
    assert list(got.values()) == [False, None, None, None]


def sound(seconds: float, left: int, right: int) -> bytes:
    return array("h", [left, right] * int(seconds * 8000)).tobytes()


@pytest.mark.parametrize(
    ("raw", "ok"),
    [
        pytest.param(sound(3, 900, 0), True, id="customer left, silence right"),
        pytest.param(sound(3, 0, 900), False, id="channels swapped"),
        pytest.param(sound(3, 900, 900), False, id="mixed"),
        pytest.param(sound(3, 0, 0), False, id="silence"),
        pytest.param(sound(1.5, 900, 0), False, id="half as long: one channel"),
        pytest.param(b"", False, id="empty"),
    ],
)
def test_a_recording_has_the_call_s_length_and_the_customer_on_the_left(raw: bytes, ok: bool) -> None:
    assert sound_finding("pbx", raw, 3.0, played=True).ok is ok


def test_without_a_message_to_speak_silence_is_no_fault() -> None:
    assert sound_finding("pbx", sound(3, 0, 0), 3.0, played=False).ok is True


def row(kind: str, channel_id: str, extra: str = "", user_kind: str = "") -> CelRow:
    return CelRow(kind, AT, channel_id, channel_id, f"Local/{channel_id[-5:]};1", "", extra, user_kind)


BRIDGE = '{"bridge_id": "b", "bridge_technology": "simple_bridge"}'
CEL = [
    row("CHAN_START", ALL_WELL.channel_id),
    row("ANSWER", ALL_WELL.channel_id),
    row("CTI_DROPPED", ALL_WELL.channel_id, user_kind="CTI_DROPPED"),
    row("HANGUP", ALL_WELL.channel_id, '{"hangupcause": 16}'),
    row("BRIDGE_ENTER", JOINED.customer_id, BRIDGE),
    row("BRIDGE_ENTER", JOINED.leg_id, BRIDGE),
    row("BRIDGE_EXIT", JOINED.customer_id, BRIDGE),
]


def test_rows_that_tell_all_prove_the_cel_file() -> None:
    assert [finding.ok for finding in cel_findings("pbx", CEL, ALL_WELL, JOINED)] == [True]


@pytest.mark.parametrize(
    ("left_out", "named"),
    [
        (0, "CHAN_START"),
        (1, "ANSWER"),
        (2, "CTI_DROPPED"),
        (3, "HANGUP"),
        (4, "BRIDGE_ENTER"),
        (6, "BRIDGE_EXIT"),
    ],
)
def test_a_row_that_is_missing_is_named(left_out: int, named: str) -> None:
    [found] = cel_findings("pbx", CEL[:left_out] + CEL[left_out + 1 :], ALL_WELL, JOINED)
    assert found.ok is False
    assert named in found.message


def test_a_row_without_its_cause_is_named() -> None:
    rows = [row("HANGUP", ALL_WELL.channel_id) if each.kind == "HANGUP" else each for each in CEL]
    [found] = cel_findings("pbx", rows, ALL_WELL, JOINED)
    assert "without the hangupcause" in found.message


def test_no_rows_are_no_cel_file() -> None:
    assert [finding.ok for finding in cel_findings("pbx", [], ALL_WELL, JOINED)] == [False]
