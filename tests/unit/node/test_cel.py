"""Stories from CEL files. `cel_sample.csv` is what Asterisk 22.10 wrote of seven channels:

an agent's leg, a joined customer, busy, unallocated, ring timeout, one nobody fetched, one whose agent's leg died.
"""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.errors import NodeError
from cti.model.ids import LEG_PREFIX, call_channel, new_call_id
from cti.model.stories import Story
from cti.node.cel import CelFolder
from cti.node.cel_files import find_rows
from cti.node.cel_rows import COLUMNS, CelRow, parse_row
from cti.node.story import meetings, story

SAMPLE = Path(__file__).with_name("cel_sample.csv").read_bytes()
LINES = SAMPLE.splitlines(keepends=True)
ROWS = [row for row in map(parse_row, LINES) if row]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

JOINED = call_channel("01a2091e75b1c9e958411a79b0816de3")
BUSY = call_channel("01a2091e799ca30dbf195a868369217d")
UNALLOCATED = call_channel("01a2091e799c1337fe1adb8aa8b95630")
RING_TIMEOUT = call_channel("01a2091e799d7dd0c1bf0f2fa5666b51")
DROPPED = call_channel("01a2091e799dc2a761d0dd6b005840ac")
LEG_DIED = call_channel("01a2091e8b342df3766396b166e73e2a")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "cti.csv"
    file.write_bytes(SAMPLE)
    return file


async def told(file: Path, channel_id: str) -> Story:
    found = await CelFolder({"pbx": file}).of_channel("pbx", channel_id)
    assert found is not None
    return found


def test_every_line_of_a_real_file_is_read() -> None:
    assert len(ROWS) == len(LINES) > 30


def test_a_row_has_the_columns_of_the_contract() -> None:
    assert len(COLUMNS) == len(next(csv.reader(io.StringIO(LINES[0].decode()))))


@pytest.mark.parametrize(("channel_id", "cause"), [(BUSY, 17), (UNALLOCATED, 1), (RING_TIMEOUT, 19)])
async def test_a_call_nobody_answered_has_a_start_an_end_and_a_cause(
    file: Path, channel_id: str, cause: int
) -> None:
    got = await told(file, channel_id)
    assert (got.answered_at, got.stays, got.dropped_at, got.cause) == (None, (), None, cause)
    assert got.started_at
    assert got.ended_at
    assert got.started_at < got.ended_at == got.last_at
    assert got.far_end is (channel_id != RING_TIMEOUT)


async def test_a_joined_call_has_one_stay_with_the_agent_s_leg(file: Path) -> None:
    got = await told(file, JOINED)
    [stay] = got.stays
    assert stay.peer == "PJSIP/a001-00000000"
    assert got.answered_at == datetime(2026, 11, 23, 15, 55, 20, 884181, tzinfo=UTC)
    assert stay.left_at is not None
    assert (stay.left_at - stay.entered_at).total_seconds() == pytest.approx(4.0, abs=0.01)
    assert (got.cause, got.channel, got.dropped_at) == (16, "PJSIP/carrier-00000001", None)


async def test_a_customer_nobody_fetched_has_the_mark_of_the_dialplan(file: Path) -> None:
    got = await told(file, DROPPED)
    assert got.answered_at
    assert got.dropped_at
    assert (got.dropped_at - got.answered_at).total_seconds() == pytest.approx(2.0, abs=0.01)
    assert got.stays == ()
    assert not got.far_end


async def test_a_customer_whose_agent_s_leg_died_is_not_dropped(file: Path) -> None:
    got = await told(file, LEG_DIED)
    assert got.dropped_at is None
    assert [stay.peer for stay in got.stays] == ["PJSIP/a001-00000000"]


async def test_waiting_for_customers_is_no_stay_of_an_agent_s_leg(file: Path) -> None:
    stories = await CelFolder({"pbx": file}).all_since("pbx", LONG_AGO)
    [leg] = [one for one in stories if one.channel_id.startswith(LEG_PREFIX)]
    assert [stay.peer for stay in leg.stays] == ["PJSIP/carrier-00000001", "PJSIP/carrier-00000006"]


async def test_both_questions_give_the_same_stories(file: Path) -> None:
    stories = await CelFolder({"pbx": file}).all_since("pbx", LONG_AGO)
    assert len(stories) == 7
    assert [await told(file, one.channel_id) for one in stories] == list(stories)


async def test_only_channels_that_started_since_then_are_listed(file: Path) -> None:
    since = datetime(2026, 11, 23, 15, 55, 26, tzinfo=UTC)
    stories = await CelFolder({"pbx": file}).all_since("pbx", since)
    assert [one.channel_id for one in stories] == [LEG_DIED]


async def test_a_file_that_grows_is_read_anew(file: Path) -> None:
    cel = CelFolder({"pbx": file})
    end = next(place for place, row in enumerate(ROWS) if row.channel_id == JOINED and row.kind == "HANGUP")
    file.write_bytes(b"".join(LINES[:end]))
    before = await cel.of_channel("pbx", JOINED)
    with file.open("ab") as more:
        more.write(LINES[end][:30])
    assert await cel.of_channel("pbx", JOINED) == before
    with file.open("ab") as more:
        more.write(LINES[end][30:])
    after = await cel.of_channel("pbx", JOINED)
    assert before
    assert after
    assert (before.ended_at, after.cause) == (None, 16)


async def test_a_rotated_file_is_read_with_its_elder(file: Path) -> None:
    whole = await CelFolder({"pbx": file}).all_since("pbx", LONG_AGO)
    file.rename(file.with_name("cti.csv.1"))
    file.with_name("cti.csv.1").write_bytes(b"".join(LINES[:20]))
    file.with_name("cti.csv.2.gz").write_bytes(b"\x1f\x8b packed")
    file.write_bytes(b"".join(LINES[20:]))
    assert await CelFolder({"pbx": file}).all_since("pbx", LONG_AGO) == whole


async def test_rows_that_are_none_are_counted_and_the_others_read(file: Path) -> None:
    broken = [
        b'"HANGUP","soon","' + JOINED.encode() + b'","","","","",""\n',
        b'"HANGUP","' + JOINED.encode() + b"\n",
        b"\0" * 40 + JOINED.encode() + b"\n",
        b'"HANGUP","1.000000","' + JOINED.encode() + b'"\n',
    ]
    file.write_bytes(b"".join(broken) + SAMPLE + b"".join(broken))
    assert find_rows(file, texts=[JOINED], since=None).bad == 2 * len(broken)
    assert (await told(file, JOINED)).cause == 16


async def test_a_channel_or_node_that_is_not_recorded_has_no_story(file: Path) -> None:
    cel = CelFolder({"pbx": file})
    assert await cel.of_channel("pbx", call_channel("0" * 32)) is None
    assert await cel.of_channel("elsewhere", JOINED) is None


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    cel = CelFolder({"pbx": tmp_path / "gone" / "cti.csv"})
    assert await cel.of_channel("pbx", JOINED) is None
    with pytest.raises(NodeError, match=r"cannot read the CEL of pbx in .*gone: No such file"):
        await cel.all_since("pbx", LONG_AGO)


async def test_a_large_file_is_read_from_where_it_matters(tmp_path: Path) -> None:
    """About 4 MB: halving must find the place, and lose nothing around it."""
    file = tmp_path / "cti.csv"
    start = datetime(2026, 11, 23, 6, tzinfo=UTC)
    moments = [start + timedelta(seconds=second) for second in range(20_000)]
    calls = [call_channel(new_call_id(at)) for at in moments]
    with file.open("w") as text:
        for at, channel_id in zip(moments, calls, strict=True):
            for kind in ("CHAN_START", "HANGUP"):
                text.write(
                    f'"{kind}","{at.timestamp():.6f}","{channel_id}","{channel_id}","PJSIP/x-1","","",""\n'
                )
    cel = CelFolder({"pbx": file})
    assert len(await cel.all_since("pbx", moments[15_000])) == 5000
    late = find_rows(file, texts=["waihu-c-"], since=moments[15_000])
    assert len(late.rows) < 2 * 6000
    assert [(await told(file, calls[place])).channel_id for place in (0, 777, 19_999)] == [
        calls[place] for place in (0, 777, 19_999)
    ]


async def test_a_call_is_found_though_the_node_s_clock_is_an_hour_behind(tmp_path: Path) -> None:
    file = tmp_path / "cti.csv"
    made_at = datetime.now(UTC)
    channel_id = call_channel(new_call_id(made_at))
    at = (made_at - timedelta(hours=1)).timestamp()
    filler = f'"HANGUP","{at:.6f}","other","other","PJSIP/y-1","","",""\n' * 4000
    row = f'"CHAN_START","{at:.6f}","{channel_id}","{channel_id}","PJSIP/x-1","","",""\n'
    file.write_text(row + filler)
    assert (await told(file, channel_id)).channel == "PJSIP/x-1"


@given(st.lists(st.sampled_from(ROWS), min_size=1, max_size=40))
def test_rows_in_any_order_and_number_make_some_story(rows: list[CelRow]) -> None:
    got = story("pbx", rows, meetings(rows))
    assert got.last_at == rows[-1].at
    assert got.ended_at is None or any(row.kind == "HANGUP" for row in rows)


@given(st.binary())
def test_any_line_is_a_row_or_none(line: bytes) -> None:
    assert parse_row(line) is None or line


@pytest.mark.parametrize("extra", ["", "[]", "{", '{"hangupcause": "16"}', '{"bridge_id": 7}'])
def test_an_extra_that_is_not_what_it_should_be_gives_no_fact(extra: str) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    rows = [CelRow(kind, at, JOINED, JOINED, "x", "", extra, "") for kind in ("BRIDGE_ENTER", "HANGUP")]
    got = story("pbx", rows, meetings(rows))
    assert (got.cause, got.stays, got.ended_at) == (None, (), at)


def own_row(kind: str, words: str, at: float) -> CelRow:
    extra = json.dumps({"extra": words})
    return CelRow(
        "USER_DEFINED", datetime.fromtimestamp(at, UTC), JOINED, JOINED, "PJSIP/c-1", "", extra, kind
    )


def test_the_dialplan_s_verdict_and_its_voicemail_are_in_the_story() -> None:
    rows = [
        own_row("CTI_DETECTED", "machine MAXWORDS-3-2", 1000),
        own_row("CTI_DETECTED", "person later", 1001),
        own_row("CTI_VOICEMAIL", "SUCCESS", 1020),
    ]
    found = story("pbx", rows, {})
    assert (found.answered_by, found.detection) == ("machine", "MAXWORDS-3-2")
    assert found.detected_at == datetime.fromtimestamp(1000, UTC)
    assert found.voicemail_at == datetime.fromtimestamp(1020, UTC)


@pytest.mark.parametrize("words", ["", "alien", "unknown ", "{"])
def test_a_verdict_nobody_can_read_says_that_nobody_knows(words: str) -> None:
    found = story("pbx", [own_row("CTI_DETECTED", words, 1000)], {})
    assert (found.answered_by, found.detection) == ("unknown", None)


def test_a_voicemail_that_could_not_be_played_was_not_left() -> None:
    assert story("pbx", [own_row("CTI_VOICEMAIL", "FAILED", 1)], {}).voicemail_at is None
