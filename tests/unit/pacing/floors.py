"""Floors and signals for tests of pacing."""

from hypothesis import strategies as st

from cti.pacing.floor import Budget, Busy, Floor, InFlight
from cti.pacing.predictive import Predictive
from cti.pacing.signals import (
    AttemptEnded,
    Connected,
    Dropped,
    PersonAnswered,
    Result,
    Signal,
    TalkEnded,
    WrapUpEnded,
)

NOW = 10_000.0


def busy(*ages: float, leaving: bool = False) -> tuple[Busy, ...]:
    """Return agents busy for so many seconds."""
    return tuple(Busy(since=NOW - age, leaving=leaving) for age in ages)


def in_flight(*ages: float, chance: float | None = None) -> tuple[InFlight, ...]:
    """Return calls placed so many seconds ago."""
    return tuple(InFlight(placed_at=NOW - age, answer_chance=chance) for age in ages)


def signals_of_a_morning(
    *, attempts: int = 600, answers: int = 3, of: int = 10, until: float = NOW
) -> list[Signal]:
    """Return what a quiet morning brought: `answers` of each `of` attempts after 12 s, the others nothing."""
    told: list[Signal] = []
    for number in range(attempts):
        placed = until - 30.0 - 5.0 * (attempts - number)
        if number % of < answers:
            told.append(AttemptEnded(at=placed + 12, placed_at=placed, result=Result.LIVE))
            told.append(PersonAnswered(at=placed + 12))
            told.append(Connected(at=placed + 12, waited=0.0))
            told.append(TalkEnded(at=placed + 12, seconds=60.0 + 17 * (number % 9)))
            told.append(WrapUpEnded(at=placed + 12, seconds=15.0 + number % 7))
        else:
            told.append(AttemptEnded(at=placed + 26, placed_at=placed, result=Result.NO_ANSWER))
    return sorted(told, key=lambda signal: signal.at)


def experienced(**morning: int) -> Predictive:
    """Return a pacer after a quiet morning."""
    pacer = Predictive()
    for signal in signals_of_a_morning(**morning):  # type: ignore[arg-type]
        pacer.learn(signal)
    return pacer


ages = st.lists(st.floats(-5, 5000), max_size=12)
chances = st.one_of(st.none(), st.floats(0, 1))
floors = st.builds(
    Floor,
    now=st.just(NOW),
    idle_agents=st.integers(0, 40),
    talking=st.builds(lambda some, gone: busy(*some) + busy(*gone, leaving=True), ages, ages),
    wrapping=ages.map(lambda some: busy(*some)),
    in_flight=st.builds(lambda some, chance: in_flight(*some, chance=chance), ages, chances),
    screening=ages.map(lambda some: tuple(NOW - age for age in some)),
    waiting=st.integers(0, 5),
    free_lines=st.integers(0, 60),
    contacts_left=st.one_of(st.none(), st.integers(0, 60)),
    next_chances=st.lists(st.floats(0, 1), max_size=8).map(tuple),
    ring_timeout=st.floats(5, 120),
    grace=st.floats(0, 10),
    detection=st.sampled_from([0.0, 2.5]),
    budget=st.builds(
        Budget,
        target=st.floats(0, 0.1),
        live=st.floats(0, 5000),
        dropped=st.floats(0, 300),
        seconds_left=st.one_of(st.none(), st.floats(-100, 30_000)),
    ),
)
_at = st.floats(NOW - 4000, NOW)
_length = st.floats(-1, 4000)
signals = st.lists(
    st.one_of(
        st.builds(
            lambda at, age, result, chance: AttemptEnded(
                at=at, placed_at=at - age, result=result, answer_chance=chance
            ),
            _at,
            st.floats(-1, 60),
            st.sampled_from(Result),
            chances,
        ),
        st.builds(PersonAnswered, at=_at),
        st.builds(Dropped, at=_at),
        st.builds(TalkEnded, at=_at, seconds=_length),
        st.builds(WrapUpEnded, at=_at, seconds=_length, free=st.booleans(), announced=st.booleans()),
    ),
    max_size=80,
)
