"""Figures from calls and from agents' histories. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cti.model.agents import AgentChange, AgentState
from cti.model.calls import ANSWERED_OUTCOMES, Call, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How some calls went.

    placed = answered + no_answer + busy + failed + lost; answered = connected + dropped + gone_early + machine.
    """

    placed: int = 0
    answered: int = 0
    connected: int = 0
    dropped: int = 0
    gone_early: int = 0
    machine: int = 0
    no_answer: int = 0
    busy: int = 0
    failed: int = 0
    lost: int = 0
    open: int = 0
    """Still going on; in none of the others."""
    talk_seconds: float = 0.0
    """With an agent."""
    answer_to_join_seconds: float | None = None
    """From the answer to the first agent, the average of the joined calls; None when there are none."""

    @property
    def drop_rate(self) -> float | None:
        """Dropped / answered by a person, 0 to 1 (16 CFR 310.4(b)(4)(i)); None without such answers."""
        persons = self.answered - self.machine
        return self.dropped / persons if persons else None


class Tally:
    """Counts calls one by one, so that a stream of any length needs no more memory than one call."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._open = 0
        self._talk_seconds = 0.0
        self._to_join_seconds = 0.0
        self._joined = 0

    def add(self, call: Call, *, over: bool = False) -> None:
        """Count the call. `over`: nothing goes on any more, so one without an outcome is lost, not open."""
        self._talk_seconds += talk_seconds(call)
        if call.connected_at and call.answered_at:
            self._to_join_seconds += (call.connected_at - call.answered_at).total_seconds()
            self._joined += 1
        if call.outcome is None and not call.ended and not over:
            self._open += 1
        else:
            self._outcomes[call.outcome or Outcome.LOST] += 1

    def counts(self) -> Counts:
        """Return what was counted so far."""
        return Counts(
            placed=self._outcomes.total(),
            answered=sum(self._outcomes[outcome] for outcome in ANSWERED_OUTCOMES),
            open=self._open,
            talk_seconds=self._talk_seconds,
            answer_to_join_seconds=self._to_join_seconds / self._joined if self._joined else None,
            **{outcome.value: self._outcomes[outcome] for outcome in Outcome},
        )


def counts(calls: Iterable[Call], *, over: bool = False) -> Counts:
    """Count the calls; for `over` see `Tally.add`."""
    tally = Tally()
    for call in calls:
        tally.add(call, over=over)
    return tally.counts()


def talk_seconds(call: Call) -> float:
    """Return how long an agent was with the customer; a stay that goes on does not count yet."""
    ends = [(join.joined_at, join.left_at or call.ended_at) for join in call.joins]
    return sum((left - joined).total_seconds() for joined, left in ends if left)


def agent_seconds(
    changes: Iterable[AgentChange], *, since: datetime, until: datetime
) -> Mapping[int, Mapping[AgentState, float]]:
    """Return the seconds each agent spent in each state between the two moments.

    `changes` in order of time, each agent's last one before `since` included; before an agent's first change his state
    is not known and counts nowhere. The last state lasts until `until`, which must not lie in the future.
    """
    spent: dict[int, dict[AgentState, float]] = {}
    standing: dict[int, AgentChange] = {}
    for change in changes:
        if before := standing.get(change.agent_id):
            _spend(spent, before, until=min(change.at, until), since=since)
        standing[change.agent_id] = change
    for change in standing.values():
        _spend(spent, change, until=until, since=since)
    return spent


def _spend(
    spent: dict[int, dict[AgentState, float]], change: AgentChange, *, since: datetime, until: datetime
) -> None:
    seconds = (until - max(change.at, since)).total_seconds()
    if seconds > 0:
        states = spent.setdefault(change.agent_id, {})
        states[change.after] = states.get(change.after, 0.0) + seconds
