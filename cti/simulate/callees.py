"""What becomes of each dial. The floor asks; pacers never see more than `chance` of it before it has happened."""

from dataclasses import dataclass
from typing import Final, Protocol

from cti.pacing.signals import Result
from cti.simulate.draws import Draws
from cti.simulate.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One dial, as it will turn out."""

    result: Result
    """The truth: LIVE only for a person."""
    seconds: float
    """From the order to the answer, or to the end without one."""
    to_rep: bool = False
    """It is, or passes as, a person."""
    talk: float = 0.0
    wrap_up: float = 0.0
    chance: float | None = None
    """What the dialer believed of a person's answer when it dialed."""
    contact: int = 0


class Callees(Protocol):
    """A list of contacts."""

    def left(self, now: float) -> int | None:
        """Return how many can be dialed now; None: more than matter."""
        ...

    def ended(self, now: float) -> bool:
        """Whether nobody will be dialed any more, also not later."""
        ...

    def chances(self, now: float) -> tuple[float, ...]:
        """Return the believed chances of the next contacts, in order; empty where nothing is believed."""
        ...

    def dial(self, now: float) -> Dial | None:
        """Take the next contact; None: there is none now."""
        ...

    def happened(self, dial: Dial, now: float) -> None:
        """Hear that this dial was answered, or ended without an answer."""
        ...


_SEEDS_APART: Final = 7919
"""Between the seeds of two lists: neighbouring seeds then have no stream in common."""


class AlikeCallees:
    """Contacts who all behave alike: the scenario's rates, each contact once."""

    def __init__(self, scenario: Scenario, *, seed: int) -> None:
        self._scenario = scenario
        self._draws = Draws(seed * _SEEDS_APART + 1, uniform=2, normal=3)
        self._outcome = Outcomes(scenario)
        self._dialed = 0

    def left(self, now: float) -> int | None:
        """See `Callees`."""
        contacts = self._scenario.contacts
        return None if contacts is None else contacts - self._dialed

    def ended(self, now: float) -> bool:
        """See `Callees`."""
        return self.left(now) == 0

    def chances(self, now: float) -> tuple[float, ...]:
        """See `Callees`: nothing tells one from the other."""
        return ()

    def dial(self, now: float) -> Dial | None:
        """See `Callees`."""
        if self.ended(now):
            return None
        draw = self._draws.at(self._dialed)
        self._dialed += 1
        return self._outcome.of(draw, answer_rate=self._scenario.answer_rate, contact=self._dialed)

    def happened(self, dial: Dial, now: float) -> None:
        """See `Callees`: nobody is dialed twice."""


class Outcomes:
    """From random numbers to what a dial becomes: two uniform (who answers, is a machine missed), three normal."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._ring = scenario.ring.drawer()
        self._machine_ring = scenario.machine_ring.drawer()
        self._talk = scenario.talk.drawer()
        self._wrap_up = scenario.wrap_up.drawer()

    def of(
        self,
        draw: tuple[float, ...],
        *,
        answer_rate: float,
        contact: int = 0,
        chance: float | None = None,
    ) -> Dial:
        """Return the dial. A person or machine that would answer after the timeout is a no-answer."""
        who, missed, ringing, talking, writing = draw
        scenario = self._scenario
        result = self._who(who, answer_rate)
        seconds = self._seconds(result, ringing)
        if seconds > scenario.ring_timeout:
            result, seconds = Result.NO_ANSWER, scenario.ring_timeout
        machine = result is Result.MACHINE
        return Dial(
            result=result,
            seconds=seconds,
            to_rep=result is Result.LIVE
            or (machine and (scenario.detection is None or missed < scenario.missed)),
            talk=scenario.machine_talk if machine else self._talk(talking),
            wrap_up=self._wrap_up(writing),
            chance=chance,
            contact=contact,
        )

    def _who(self, who: float, answer_rate: float) -> Result:
        """Split 0 to 1 among the results. Persons come first: with another rate the same numbers answer, and more."""
        scenario = self._scenario
        for result, share in (
            (Result.LIVE, answer_rate),
            (Result.MACHINE, scenario.machine_rate),
            (Result.BUSY, scenario.busy_rate),
            (Result.FAILED, scenario.failed_rate),
        ):
            if who < share:
                return result
            who -= share
        return Result.NO_ANSWER

    def _seconds(self, result: Result, ringing: float) -> float:
        scenario = self._scenario
        match result:
            case Result.LIVE:
                return scenario.setup + self._ring(ringing)
            case Result.MACHINE:
                return scenario.setup + self._machine_ring(ringing)
            case Result.BUSY:
                return scenario.setup + BUSY_SECONDS
            case Result.FAILED:
                return scenario.setup + FAILED_SECONDS
            case Result.NO_ANSWER:
                return scenario.ring_timeout


BUSY_SECONDS: Final = 1.5
FAILED_SECONDS: Final = 0.5
"""After the call setup: how long networks take to say so."""
