"""The predictive pacer as a policy of a simulator that knows nothing of Waihu.

The simulator hands in `cfg` (drop_target, ring_timeout, grace, amd_delay, shift_end, max_lines) and a `state` of
arrays; nothing of it is imported. With machine detection an answer is told without the verdict, as Asterisk would.
"""

from typing import Any, Final

from cti.pacing.floor import Budget, Busy, Floor, InFlight
from cti.pacing.predictive import Predictive as Pacer
from cti.pacing.signals import (
    AttemptEnded,
    Connected,
    Dropped,
    PersonAnswered,
    Result,
    TalkEnded,
    WrapUpEnded,
)

TALK, WRAP_UP, AWAY = 2, 3, (0, 4)
"""The simulator's numbers for what agents do."""
RESULTS: Final = {
    "live": Result.LIVE,
    "machine": Result.MACHINE,
    "busy": Result.BUSY,
    "fail": Result.FAILED,
    "noanswer": Result.NO_ANSWER,
}


class Predictive:
    """What the simulator calls a policy: `reset`, `decide`, and hooks for what happened."""

    name = "waihu"

    def reset(self, cfg: Any) -> None:
        """Begin a shift."""
        self._cfg = cfg
        self._pacer = Pacer()
        self._flight: dict[int, InFlight] = {}
        self._busy: dict[int, tuple[int, Busy]] = {}
        self._wrap_ups: list[tuple[float, float]] = []

    def decide(self, now: float, state: Any) -> int:
        """Say how many calls to place."""
        self._tell_wrap_ups(state)
        return self._pacer.decide(self._floor(now, state)).calls

    def _floor(self, now: float, state: Any) -> Floor:
        cfg = self._cfg
        lines = len(state.inflight) + len(state.screening) + len(state.waiting) + state.n_talk_lines
        self._see_agents(state)
        self._flight = {
            call: self._flight.get(call) or InFlight(placed_at=at) for call, at in state.inflight.items()
        }
        busy = self._busy.values()
        return Floor(
            now=now,
            idle_agents=state.n_ready,
            talking=tuple(one for doing, one in busy if doing == TALK),
            wrapping=tuple(one for doing, one in busy if doing == WRAP_UP),
            in_flight=tuple(self._flight.values()),
            screening=tuple(state.screening.values()),
            waiting=len(state.waiting),
            open_calls=lines,
            free_lines=max(0, cfg.max_lines - lines),
            contacts_left=state.list_remaining,
            ring_timeout=cfg.ring_timeout,
            grace=cfg.grace,
            detection=cfg.amd_delay,
            budget=Budget(
                target=cfg.drop_target,
                live=state.live,
                dropped=state.drops,
                seconds_left=cfg.shift_end - now,
            ),
            placed=state.attempts,
        )

    def _see_agents(self, state: Any) -> None:
        rows = zip(
            state.agent_state.tolist(), state.agent_since.tolist(), state.agent_leaving.tolist(), strict=True
        )
        for agent, (doing, since, leaving) in enumerate(rows):
            if doing not in (TALK, WRAP_UP):
                self._busy.pop(agent, None)
                continue
            seen = self._busy.get(agent)
            if seen is None or (seen[0], seen[1].since, seen[1].leaving) != (doing, since, leaving):
                self._busy[agent] = (doing, Busy(since=since, leaving=leaving))

    def _tell_wrap_ups(self, state: Any) -> None:
        """Say how wrap-ups ended, now that it can be seen where the agents went."""
        gone = [one.leaving for agent, (_, one) in self._busy.items() if state.agent_state[agent] in AWAY]
        for at, seconds in self._wrap_ups:
            announced = gone.pop() if gone else None
            free = announced is None
            self._pacer.learn(WrapUpEnded(at=at, seconds=seconds, free=free, announced=bool(announced)))
        self._wrap_ups.clear()

    def on_attempt_end(self, now: float, age: float, kind: str) -> None:
        """An attempt was answered or ended."""
        result = RESULTS[kind]
        if self._cfg.amd_delay > 0 and result is Result.MACHINE:
            result = Result.LIVE
        self._pacer.learn(AttemptEnded(at=now, placed_at=now - age, result=result))

    def on_live(self, now: float) -> None:
        """A person is on the line."""
        self._pacer.learn(PersonAnswered(at=now))

    def on_connect(self, now: float, wait: float) -> None:
        """An agent took the person."""
        self._pacer.learn(Connected(at=now, waited=wait))

    def on_drop(self, now: float) -> None:
        """The grace ended."""
        self._pacer.learn(Dropped(at=now))

    def on_talk_end(self, now: float, dur: float) -> None:
        """A conversation is over."""
        self._pacer.learn(TalkEnded(at=now, seconds=dur))

    def on_wrap_end(self, now: float, dur: float) -> None:
        """A wrap-up is over; where the agent goes is seen at the next look."""
        self._wrap_ups.append((now, dur))
