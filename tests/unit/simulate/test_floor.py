"""The simulated floor keeps the rules of a real one."""

import math
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cti.pacing.floor import Decision, Floor
from cti.pacing.progressive import Progressive
from cti.pacing.signals import AttemptEnded, Connected, Dropped, PersonAnswered, Result, Signal
from cti.simulate.callees import AlikeCallees
from cti.simulate.floor import SimulatedFloor
from cti.simulate.lengths import Length
from cti.simulate.record import Record
from cti.simulate.scenario import Scenario

HOUR = Scenario(reps=4, hours=1.0)


@dataclass
class Asking:
    """A pacer that always asks for the same number, and remembers all it was shown."""

    calls: int
    reserve: bool = False
    signals: list[Signal] = field(default_factory=list)
    floors: list[Floor] = field(default_factory=list)

    def learn(self, signal: Signal) -> None:
        self.signals.append(signal)

    def decide(self, floor: Floor) -> Decision:
        self.floors.append(floor)
        return Decision(calls=self.calls, why="asked for", reserve=self.reserve)


def simulated(scenario: Scenario, pacer: Asking | Progressive, seed: int = 1) -> Record:
    return SimulatedFloor(scenario, pacer=pacer, callees=AlikeCallees(scenario, seed=seed)).run()


def test_the_same_seed_gives_the_same_shift_and_another_seed_another() -> None:
    first, again, other = (simulated(HOUR, Progressive(), seed) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_progressive_drops_nobody() -> None:
    record = simulated(replace(HOUR, answer_rate=0.9, busy_rate=0.0), Progressive())
    assert record.answered_at
    assert record.dropped_at == []


def test_everybody_who_answers_is_joined_or_dropped_or_still_waits() -> None:
    pacer = Asking(calls=3)
    record = simulated(HOUR, pacer)
    assert record.dropped_at
    waiting = len(record.answered_at) - len(record.dropped_at) - len(record.waited)
    assert 0 <= waiting <= pacer.floors[-1].waiting + 3
    assert all(0.0 <= waited <= HOUR.grace for waited in record.waited)


def test_without_grace_nobody_waits() -> None:
    pacer = Asking(calls=3)
    record = simulated(replace(HOUR, grace=0.0), pacer)
    assert len(record.answered_at) == len(record.dropped_at) + len(record.waited)
    assert set(record.waited) == {0.0}


@settings(max_examples=25, deadline=None)
@given(
    lines=st.integers(1, 20),
    rate=st.floats(0.2, 5.0),
    contacts=st.integers(1, 300),
    calls=st.integers(0, 50),
    reserve=st.booleans(),
    detection=st.sampled_from([None, 0.0, 2.5]),
)
def test_limits_hold_whatever_a_pacer_asks_for(
    lines: int, rate: float, contacts: int, calls: int, reserve: bool, detection: float | None
) -> None:
    scenario = Scenario(
        reps=3,
        hours=0.1,
        machine_rate=0.3,
        lines=lines,
        calls_per_second=rate,
        contacts=contacts,
        detection=detection,
    )
    record = simulated(scenario, Asking(calls=calls, reserve=reserve))
    assert record.lines_peak <= lines
    assert record.placed <= contacts
    assert record.placed <= rate * scenario.seconds + max(1.0, rate)


def test_a_shift_ends_with_its_list() -> None:
    record = simulated(replace(HOUR, contacts=40), Asking(calls=1))
    assert record.placed == 40
    assert record.ended_at < HOUR.seconds / 2


def test_a_machine_reaches_a_rep_only_where_nobody_looks() -> None:
    machines = Scenario(reps=4, hours=1.0, answer_rate=0.0, machine_rate=0.8, ring_timeout=60.0, missed=0.0)
    unseen = simulated(machines, Progressive())
    assert unseen.machine_talk > 0.0
    assert unseen.talk == 0.0
    looked_at = simulated(replace(machines, detection=2.5), Progressive())
    assert looked_at.results[Result.MACHINE] > 0
    assert looked_at.machine_talk == 0.0
    assert looked_at.answered_at == []


def test_a_pacer_hears_of_an_answer_only_when_the_detection_is_over() -> None:
    pacer = Asking(calls=1)
    simulated(replace(HOUR, detection=2.5), pacer)
    answers = [signal for signal in pacer.signals if isinstance(signal, AttemptEnded)]
    persons = [signal for signal in pacer.signals if isinstance(signal, PersonAnswered)]
    first = next(signal for signal in answers if signal.result is Result.LIVE)
    assert math.isclose(persons[0].at, first.at + 2.5)
    assert any(floor.screening for floor in pacer.floors)


def test_signals_come_in_order_of_time() -> None:
    pacer = Asking(calls=2)
    simulated(HOUR, pacer)
    moments = [signal.at for signal in pacer.signals]
    assert moments == sorted(moments)
    assert {Connected, Dropped} <= {type(signal) for signal in pacer.signals}


def test_a_reserved_rep_is_not_offered_and_comes_back_when_nobody_answers() -> None:
    nobody = Scenario(reps=2, hours=0.1, answer_rate=0.0, busy_rate=0.0, failed_rate=0.0, ring_timeout=20.0)
    pacer = Asking(calls=2, reserve=True)
    record = simulated(nobody, pacer)
    assert [floor.idle_agents for floor in pacer.floors[:22]] == [2, *[0] * 19, 2, 0]
    assert record.lines_peak == 2


def test_reps_are_busy_as_long_as_their_talks_and_wrap_ups_last() -> None:
    steady = Scenario(
        reps=1,
        hours=1.0,
        answer_rate=1.0,
        busy_rate=0.0,
        failed_rate=0.0,
        setup=0.0,
        ring=Length(3.0),
        talk=Length(50.0),
        wrap_up=Length(7.0),
    )
    record = simulated(steady, Progressive())
    assert record.talk == pytest.approx(60 * 50.0)
    assert record.wrap_up == pytest.approx(60 * 7.0)
    assert record.idle == pytest.approx([3.0] * 60)


def test_time_with_lines_open_adds_up_to_the_shift() -> None:
    record = simulated(HOUR, Asking(calls=1))
    assert sum(record.lines_for.values()) == pytest.approx(HOUR.seconds)
