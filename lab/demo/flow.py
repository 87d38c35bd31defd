"""What happens in the demo, step by step, over the service's API alone."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console
from rich.live import Live

from lab.daemon import Daemon, Refused
from lab.demo.contacts import REFUSED, WORST_MOMENT, as_csv, people
from lab.demo.reps import Reps
from lab.demo.screen import bar, outcomes_text, picture, report, say
from lab.demo.speech import Speech
from lab.errors import LabError
from lab.exchange import Lab
from lab.softphone import Line

REPS: Final = ("Rita", "Robert", "Ruth")
LAST: Final = "a003"
"""The rep who leaves at the worst moment."""
LIST_SECONDS: Final = 240.0
LOOK_SECONDS: Final = 0.5
RECORDINGS_SECONDS: Final = 20.0
COUNTED: Final = ("connected", "dropped", "gone_early", "machine", "no_answer", "busy", "failed", "lost")


@dataclass
class Demo:
    """One run."""

    lab: Lab
    daemon: Daemon
    lines: list[Line]
    console: Console
    speech: Speech
    reps: Reps = field(init=False)

    def __post_init__(self) -> None:
        self.reps = Reps(self.daemon)

    async def set_up(self) -> None:
        """Make the campaigns and the agents, import the list, log the reps in."""
        campaigns = {"autumn offer": ["a001", "a002", LAST], "worst moment": [LAST]}
        for name in campaigns:
            rules = dict(self.speech.rules)
            new = {"name": name, "ring_seconds": 8, "grace_seconds": 2, "rules": rules}
            await self.daemon.post("campaigns", new)
        for login, name in zip(campaigns["autumn offer"], REPS, strict=True):
            worked = [campaign for campaign, logins in campaigns.items() if login in logins]
            body = {"login": login, "name": name, "endpoint": login, "node": "pbx", "campaigns": worked}
            await self.daemon.post("agents", body)
            await self.daemon.post(f"agents/{login}/login")
            say(self.console, f"{name}'s phone was called once and is kept ({login})")
        rows = [(person.name, person.number) for person in people()]
        result = await self.daemon.upload("autumn offer", "autumn list", as_csv([*rows, *REFUSED]))
        say(
            self.console, f"list imported: {result['taken']} contacts, {len(result['refused'])} rows refused:"
        )
        for refused in result["refused"]:
            self.console.print(
                f"    line {refused['line']}: {refused['reason']}", style="dim", highlight=False
            )

    async def dial(self) -> None:
        """Dial the list, showing it."""
        await self.daemon.post("campaigns/autumn offer/start")
        await self._watch("autumn offer")

    async def worst_moment(self) -> None:
        """A rep leaves while a number rings for him, and nobody else is there: the dialplan's safety net."""
        for login in ("a001", "a002"):
            self.reps.resting.add(login)
            await self._when(login, "ready")
            await self.daemon.post(f"agents/{login}/pause", {"reason": "coffee"})
        for person in WORST_MOMENT:
            say(self.console, f"{person.name} is called, and Ruth hangs up her phone while it rings")
            await self._when(LAST, "ready")
            await self.daemon.upload("worst moment", person.name, as_csv([(person.name, person.number)]))
            await self.daemon.post("campaigns/worst moment/start")
            await self._call_in("ringing")
            kept = self.lines[REPS.index("Ruth")].call
            if kept is None:
                raise LabError("Ruth's kept leg is gone")
            await kept.hang_up()
            await self._watch("worst moment")
            await self.daemon.post(f"agents/{LAST}/login")

    async def result(self) -> dict[str, Any]:
        """Return the figures of the last line, once all recordings are collected."""
        calls = await self._collected()
        outcomes = [call["outcome"] for call in calls]
        counted = {name: outcomes.count(name) for name in COUNTED}
        answered = sum(counted[name] for name in ("connected", "dropped", "gone_early", "machine"))
        compared = await self.daemon.post("reconcile")
        for difference in compared["differences"]:
            self.console.print(f"[red]differs[/] {json.dumps(difference)}", highlight=False)
        return {
            "placed": len(calls),
            "answered": answered,
            **counted,
            "recordings": sum(call["recording_path"] is not None for call in calls),
            "lost": counted["lost"] + outcomes.count(None),
            "reconciled": compared["ok"],
            **await self.speech.figures(calls),
        }

    async def show_reports(self) -> None:
        """Print the reports."""
        for kind in ("calls_by_outcome", "calls_by_agent", "calls_by_campaign", "agent_time"):
            self.console.print(report(await self.daemon.get(f"reports/{kind}")))

    async def _watch(self, campaign: str) -> None:
        """Show the floor until the campaign is finished."""
        progress = bar()
        task = progress.add_task(campaign, total=None, outcomes="")
        said = -1
        async with asyncio.timeout(LIST_SECONDS):
            with Live(console=self.console, auto_refresh=False, transient=True) as live:
                while True:
                    floor = await self.daemon.get("floor")
                    found = next(row for row in floor["campaigns"] if row["name"] == campaign)
                    done, total = found["progress"]["done"], found["progress"]["total"]
                    outcomes = outcomes_text(found["progress"]["outcomes"])
                    progress.update(task, completed=done, total=total, outcomes=outcomes)
                    if self.console.is_terminal:
                        live.update(picture(floor, progress), refresh=True)
                    elif done != said and (done % 6 == 0 or found["state"] == "finished"):
                        said = done
                        self.console.print(f"  {campaign}: {done}/{total} {outcomes}", highlight=False)
                    if found["state"] == "finished":
                        break
                    await asyncio.sleep(LOOK_SECONDS)
        self.console.print(progress)

    async def _collected(self) -> list[dict[str, Any]]:
        """Return all calls, once each recording is kept or known to be missing."""
        calls: list[dict[str, Any]] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(RECORDINGS_SECONDS):
                while True:
                    calls = await self.daemon.calls()
                    waiting = [c for c in calls if c["answered_at"] and not _recording_known(c)]
                    if not waiting and all(call["outcome"] for call in calls):
                        break
                    await asyncio.sleep(LOOK_SECONDS)
        return calls

    async def _when(self, login: str, state: str) -> None:
        async with asyncio.timeout(30):
            while (await self.daemon.get(f"agents/{login}"))["state"] != state:
                with suppress(Refused):
                    await self.daemon.post(f"agents/{login}/ready")
                await asyncio.sleep(0.1)

    async def _call_in(self, state: str) -> None:
        async with asyncio.timeout(15):
            while not any(call["state"] == state for call in (await self.daemon.get("floor"))["calls"]):
                await asyncio.sleep(0.05)


def _recording_known(call: dict[str, Any]) -> bool:
    return bool(call["recording_path"] or call["recording_problem"])


def is_well(result: dict[str, Any], contacts: int, *, heard: bool) -> list[str]:
    """List what is not as it should be; empty when all is well. `heard`: there was a model for transcripts."""
    answered = sum(result[name] for name in ("connected", "dropped", "gone_early", "machine"))
    placed = result["answered"] + sum(result[name] for name in ("no_answer", "busy", "failed", "lost"))
    checks = {
        f"{contacts} contacts, but {result['placed']} attempts": result["placed"] == contacts,
        "answered is not the sum of its parts": result["answered"] == answered,
        "placed is not the sum of its parts": result["placed"] == placed,
        "calls without an outcome": result["lost"] == 0,
        "recordings are missing": result["recordings"] == result["answered"],
        "Asterisk's records differ from ours": result["reconciled"] is True,
        "nobody was dropped when nobody was there": result["dropped"] == 1,
        "nobody left early": result["gone_early"] == 1,
        "transcripts are missing": not heard or result["transcripts"] == result["recordings"],
        "the search finds nothing": not heard or result["search_hits"] > 0,
    }
    return [problem for problem, well in checks.items() if not well]
