"""From frames to spans and stretches."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.asr.voice import (
    LONGEST_SECONDS,
    PAD_SECONDS,
    SILENT_DB,
    SPLIT_SECONDS,
    Activity,
    frame_levels,
    joined,
    spans_of,
    stretches_of,
    without_crosstalk,
)
from cti.model.transcripts import Span

FLAGS = st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=30)


def spans(*pairs: tuple[float, float]) -> list[Span]:
    return [Span(start=start, end=end) for start, end in pairs]


def flags(runs: list[tuple[bool, int]]) -> np.ndarray:
    return np.concatenate([np.full(count, value) for value, count in runs] or [np.empty(0, np.bool_)]).astype(
        np.bool_
    )


def test_runs_of_yes_are_spans_in_seconds() -> None:
    assert spans_of(flags([(False, 50), (True, 10), (False, 50), (True, 5)])) == spans((1.0, 1.2), (2.2, 2.3))


def test_a_breath_does_not_end_a_span() -> None:
    assert spans_of(flags([(True, 10), (False, 10), (True, 10)])) == spans((0.0, 0.6))
    assert len(spans_of(flags([(True, 10), (False, 11), (True, 10)]))) == 2


def test_a_click_is_no_voice() -> None:
    assert spans_of(flags([(False, 50), (True, 4), (False, 50)])) == []
    assert spans_of(flags([(False, 50), (True, 5), (False, 50)])) == spans((1.0, 1.1))


def test_no_frames_no_spans() -> None:
    assert spans_of(np.empty(0, np.bool_)) == []
    assert stretches_of([], 10.0) == []


def test_spans_are_joined_up_to_the_gap() -> None:
    assert joined(spans((0, 1), (1.6, 2), (2.7, 3)), 0.6) == spans((0, 2), (2.7, 3))


def test_a_stretch_reaches_beyond_the_voice_but_not_beyond_the_sound() -> None:
    assert stretches_of(spans((0.1, 1.0), (3.0, 3.9)), 4.0) == spans((0.0, 1.15), (2.85, 4.0))


def test_a_pause_longer_than_the_split_ends_a_stretch() -> None:
    assert len(stretches_of(spans((1, 2), (2.6, 3)), 9.0)) == 1
    assert len(stretches_of(spans((1, 2), (2.7, 3)), 9.0)) == 2


def test_a_monologue_is_cut_at_its_longest_pause() -> None:
    found = stretches_of(spans((0, 9), (9.3, 14), (14.5, 20), (20.3, 40)), 41.0)
    assert [round(one.end, 2) for one in found] == [14 + PAD_SECONDS, 40 + PAD_SECONDS]


def test_a_voice_without_a_breath_is_cut_anyway() -> None:
    found = stretches_of(spans((0, 100)), 100.0)
    assert all(one.seconds <= LONGEST_SECONDS for one in found)
    assert sum(one.seconds for one in found) == pytest.approx(100.0)


@given(runs=FLAGS)
def test_stretches_hold_all_voice_and_never_overlap(runs: list[tuple[bool, int]]) -> None:
    voiced = flags(runs)
    seconds = len(voiced) * 0.02
    heard = spans_of(voiced)
    found = stretches_of(heard, seconds)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(found))
    assert all(-1e-9 <= one.start < one.end <= seconds + 1e-9 for one in found)
    assert all(one.seconds <= LONGEST_SECONDS + 1e-9 for one in found)
    covered = sum(
        min(one.end, span.end) - max(one.start, span.start)
        for one in found
        for span in heard
        if min(one.end, span.end) > max(one.start, span.start)
    )
    assert covered == pytest.approx(sum(span.seconds for span in heard))


def test_levels_are_decibels_below_full_scale() -> None:
    full = np.tile(np.array([32767, -32768], np.int16), 80)
    assert frame_levels(full, 160)[0] == pytest.approx(0.0, abs=0.01)
    assert frame_levels(np.zeros(320, np.int16), 160).tolist() == [SILENT_DB, SILENT_DB]
    assert len(frame_levels(np.zeros(319, np.int16), 160)) == 1


def test_the_other_side_come_through_is_not_this_side_s_voice() -> None:
    own = Activity(voiced=flags([(True, 3)]), levels=np.array([-65.0, -20.0, -65.0], np.float32))
    other = Activity(
        voiced=flags([(True, 2), (False, 1)]), levels=np.array([-20.0, -20.0, -20.0], np.float32)
    )
    assert without_crosstalk(own, other).tolist() == [False, True, True]
    assert without_crosstalk(other, own).tolist() == [True, True, False]


def test_channels_of_different_length_are_compared_as_far_as_both_go() -> None:
    long = Activity(voiced=flags([(True, 4)]), levels=np.full(4, -65.0, np.float32))
    short = Activity(voiced=flags([(True, 2)]), levels=np.full(2, -10.0, np.float32))
    assert without_crosstalk(long, short).tolist() == [False, False, True, True]


def test_the_split_leaves_room_for_both_pads() -> None:
    assert SPLIT_SECONDS >= 2 * PAD_SECONDS
