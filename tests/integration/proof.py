"""What must be true of the records when a floor has come to rest, whatever happened to it before.

Three accounts are compared: the service's, Asterisk's (CEL, by `POST reconcile`), and the customers' own phones'.
"""

import json
import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.integration.customers import Customers
from tests.integration.floor_lab import FloorLab, until

ANSWERED: Final = frozenset({"connected", "dropped", "gone_early", "machine"})
OUTCOMES: Final = (*sorted(ANSWERED), "no_answer", "busy", "failed", "lost")
TOLERANCE_SECONDS: Final = 1.0
NEVER_LEFT: Final = "not_sent"
NEVER_ARRIVED: Final = frozenset({NEVER_LEFT, "no_trace", "refused"})
"""Orders that Asterisk never got: nobody was rung."""

Call = dict[str, Any]


def counts(calls: list[Call]) -> dict[str, int]:
    """Count calls by what became of them."""
    outcomes = Counter(call["outcome"] for call in calls)
    states = Counter(call["state"] for call in calls)
    found = {"placed": len(calls), "answered": sum(outcomes[name] for name in ANSWERED)}
    found |= {name: outcomes[name] for name in OUTCOMES}
    return found | {"open": len(calls) - states["ended"]}


def tell(test: str, **facts: Any) -> None:
    """Say what was counted: one JSON line, also in var/crash-report.jsonl when WAIHU_REPORT is set."""
    line = json.dumps({"test": test, **facts})
    print(line)
    if os.environ.get("WAIHU_REPORT"):
        report = Path("var/crash-report.jsonl")
        report.parent.mkdir(exist_ok=True)
        with report.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


async def proved(floor: FloorLab, *, node_died: bool = False) -> dict[str, Any]:
    """Wait until all recordings are known, then hold the three accounts against each other; return the counts.

    `node_died`: Asterisk was killed meanwhile, so what it was about to say and to record is gone.
    """
    calls = await until(floor.daemon.calls, _settled, "every call is over and its recording known")
    _everybody_once(calls, floor.customers)
    for call in calls:
        _as_the_phone_says(call, floor.customers, node_died=node_died)
    if not node_died:
        assert [c["recording_problem"] for c in calls if c["recording_problem"]] == []
    assert "Traceback" not in floor.daemon.log.read_text(errors="replace")
    reconciled = await floor.daemon.post("reconcile")
    assert reconciled["differences"] == []
    found = counts(calls)
    unanswered = sum(found[name] for name in ("no_answer", "busy", "failed", "lost"))
    assert found["placed"] == found["answered"] + unanswered
    assert (found["lost"], found["open"]) == (0, 0)
    return found | {"compared": reconciled["compared"], "reconciled": reconciled["ok"]}


def _settled(calls: list[Call]) -> bool:
    return all(
        call["state"] == "ended"
        and (call["outcome"] not in ANSWERED or call["recording_path"] or call["recording_problem"])
        for call in calls
    )


def _everybody_once(calls: list[Call], customers: Customers) -> None:
    """Nobody's phone rang twice, and each ring has its record."""
    twice = {number: times for number, times in customers.invited().items() if times > 1}
    assert twice == {}
    sent = Counter(call["number"] for call in calls if call["end_reason"] != NEVER_LEFT)
    assert {number: times for number, times in sent.items() if times > 1} == {}
    rung = {number for number, times in customers.invited().items() if times}
    assert rung <= sent.keys()
    recorded = {call["number"] for call in calls if call["end_reason"] not in NEVER_ARRIVED}
    assert recorded & customers.invited().keys() <= rung


def _as_the_phone_says(call: Call, customers: Customers, *, node_died: bool) -> None:
    heard = customers.calls(call["number"]) if call["number"] in customers.invited() else []
    if call["end_reason"] in NEVER_ARRIVED or not heard or (node_died and call["end_reason"] == "node_lost"):
        return
    [own] = heard
    assert (call["answered_at"] is None) == (own.times.answered is None), call
    for ours, theirs in ((call["answered_at"], own.times.answered), (call["ended_at"], own.times.ended)):
        if ours is not None and theirs is not None:
            apart = abs((datetime.fromisoformat(ours) - customers.at(theirs)).total_seconds())
            assert apart <= TOLERANCE_SECONDS, call
