from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti.model.transcripts import Span, Speaker, Transcript
from cti.quality.talk import talk_figures, turns_of
from tests.said import a_transcript

A, C = Speaker.AGENT, Speaker.CUSTOMER


def voices(agent: list[tuple[float, float]], customer: list[tuple[float, float]], **given: Any) -> Transcript:
    heard = {
        speaker: tuple(Span(start=start, end=end) for start, end in spans)
        for speaker, spans in ((A, agent), (C, customer))
    }
    return a_transcript(voices=heard, **given)


def test_seconds_are_shared_among_both_one_and_none() -> None:
    found = talk_figures(voices([(0, 10), (20, 30)], [(8, 18)], seconds=40.0))
    assert (found.agent_talk_seconds, found.customer_talk_seconds) == (20.0, 10.0)
    assert (found.agent_listen_seconds, found.customer_listen_seconds) == (8.0, 18.0)
    assert (found.overtalk_seconds, found.overtalk_share) == (2.0, pytest.approx(2 / 28, abs=1e-4))
    assert (found.silence_seconds, found.silence_share, found.longest_silence) == (12.0, 0.3, 10.0)
    assert found.talk_ratio == pytest.approx(20 / 30, abs=1e-4)


def test_a_monologue_goes_on_over_breaths_and_back_channels_and_ends_with_the_others_turn() -> None:
    found = talk_figures(voices([(0, 5), (6, 12), (20, 21)], [(3, 3.5), (13, 19)]))
    assert (found.longest_agent_monologue, found.longest_customer_monologue) == (12.0, 6.0)
    assert (found.agent_turns, found.customer_turns) == (2, 1)


def test_a_long_pause_of_both_begins_a_new_turn() -> None:
    assert [(turn.start, turn.end) for turn in turns_of(voices([(0, 5), (6.9, 8), (10.1, 11)], []))] == [
        (0, 8),
        (10.1, 11),
    ]


@pytest.mark.parametrize(
    ("agent", "interruptions"),
    [
        pytest.param((4.0, 8.0), 1, id="begins in the middle"),
        pytest.param((4.0, 4.5), 0, id="short: a back-channel"),
        pytest.param((5.9, 8.0), 0, id="begins as the other ends"),
        pytest.param((6.5, 8.0), 0, id="after the other"),
        pytest.param((2.0, 8.0), 0, id="begins with the other"),
    ],
)
def test_an_interruption_begins_over_the_customer(agent: tuple[float, float], interruptions: int) -> None:
    assert talk_figures(voices([agent], [(2, 6)])).interruptions == interruptions


def test_small_words_over_the_customer_take_no_turn_however_long() -> None:
    customer = ("customer", 1.0, "so i was saying that it does not work at all")
    for said, turns in (("yeah yeah right okay", 0), ("that cannot be right", 1)):
        found = talk_figures(a_transcript(customer, ("agent", 2.0, said)))
        assert (found.agent_turns, found.interruptions) == (turns, turns)


def test_a_response_is_timed_from_the_customers_end() -> None:
    found = talk_figures(voices([(3, 4), (8, 9), (11, 13)], [(0, 2), (5, 7), (10, 12)]))
    assert (found.response_seconds, found.longest_response) == (pytest.approx(2 / 3, abs=1e-3), 1.0)


def test_a_yes_in_the_silence_is_an_answer() -> None:
    found = talk_figures(voices([(3, 3.4)], [(0, 2)]))
    assert (found.agent_turns, found.response_seconds) == (1, 1.0)


def test_words_and_characters_are_counted_for_each_minute_of_talk() -> None:
    assert talk_figures(a_transcript(("agent", 0, "one two three four " * 5))).agent_units_per_minute == 150.0
    chinese = talk_figures(a_transcript(("agent", 0, "您好 我是 小王 " * 4), language="zh"))
    assert chinese.agent_units_per_minute == 300.0
    assert talk_figures(a_transcript(("agent", 0, "hello"))).agent_units_per_minute is None


def test_without_voices_the_words_stand_in() -> None:
    said = a_transcript(("agent", 1, "hello there"), ("customer", 3, "hi"))
    without = a_transcript(("agent", 1, "hello there"), ("customer", 3, "hi"), voices={})
    assert talk_figures(said) == talk_figures(without)


def test_nothing_said_and_nothing_recorded_have_no_shares() -> None:
    quiet = talk_figures(a_transcript())
    assert (quiet.silence_share, quiet.talk_ratio, quiet.overtalk_share) == (1.0, None, None)
    assert talk_figures(a_transcript(seconds=0.0)).silence_share is None


# In quarters of a second, so that sums are exact.
MOMENTS = st.integers(-8, 300).map(lambda quarter: quarter / 4)
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS).map(lambda pair: (min(pair), max(pair))), max_size=12)


@given(SPANS, SPANS)
def test_figures_of_any_voices_add_up(agent: list[Any], customer: list[Any]) -> None:
    found = talk_figures(voices(agent, customer))
    both = found.agent_talk_seconds + found.customer_talk_seconds
    assert both - found.overtalk_seconds + found.silence_seconds == found.seconds == 60.0
    assert found.agent_listen_seconds + found.overtalk_seconds == found.customer_talk_seconds
    assert found.customer_listen_seconds + found.overtalk_seconds == found.agent_talk_seconds
    assert found.longest_silence <= found.silence_seconds
    assert 0 <= found.interruptions <= found.agent_turns <= len(agent)
    assert 0 <= found.customer_interruptions <= found.customer_turns <= len(customer)
    assert found.longest_agent_monologue <= found.seconds
    assert (found.response_seconds or 0) <= (found.longest_response or 0)
    for share in (found.talk_ratio, found.silence_share, found.overtalk_share):
        assert share is None or 0 <= share <= 1


@given(SPANS, SPANS)
def test_exchanging_the_speakers_exchanges_the_figures(agent: list[Any], customer: list[Any]) -> None:
    one, other = talk_figures(voices(agent, customer)), talk_figures(voices(customer, agent))
    assert one.agent_talk_seconds == other.customer_talk_seconds
    assert one.overtalk_seconds == other.overtalk_seconds
    assert one.silence_seconds == other.silence_seconds
    assert one.agent_listen_seconds == other.customer_listen_seconds


@given(SPANS, SPANS)
def test_voices_in_pieces_and_in_any_order_are_the_same_voices(agent: list[Any], customer: list[Any]) -> None:
    pieces = [
        piece for start, end in agent for piece in ((start, (start + end) / 2), ((start + end) / 2, end))
    ]
    assert talk_figures(voices(pieces[::-1], customer[::-1])) == talk_figures(voices(agent, customer))
