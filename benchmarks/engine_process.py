"""Our side of `originate` and `event_lag`: the whole service, with a pacing that offers a fixed rate, without reps."""

import argparse
import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from benchmarks.child import answer, cpu_seconds, questions, rss_mb
from benchmarks.numbers import busy_number
from benchmarks.rows import Spread
from benchmarks.schedule import Schedule, offered
from benchmarks.stairs import Run
from cti.app import App, open_app
from cti.clock import SystemClock
from cti.dialer.pacers import Memoryless
from cti.model.calls import Call, Outcome
from cti.model.campaign_rules import NO_DETECTION, MachineRules
from cti.model.contacts import Campaign, CampaignState, NewContact, NewNumber
from cti.pacing.floor import Decision, Floor
from cti.settings import load

LINES = 20_000


class FixedRate:
    """The pacing function; offers nothing until there is a schedule."""

    def __init__(self) -> None:
        self.schedule: Schedule | None = None

    def __call__(self, floor: Floor) -> Decision:
        if self.schedule is None:
            return Decision(calls=0, why="not yet", reserve=False)
        return offered(self.schedule, floor, time.monotonic())


class Engine:
    """The service under load."""

    def __init__(self, app: App, pacing: FixedRate, node: str, trunk: str) -> None:
        self._app = app
        self._pacing = pacing
        self._node, self._trunk = node, trunk
        self._left: list[float] = []
        place = app.lines.place

        async def noted(
            call: Call, *, caller_id: str, message: str, machines: MachineRules = NO_DETECTION
        ) -> None:
            self._left.append(time.monotonic())  # the bytes are handed to the socket before the first await
            await place(call, caller_id=caller_id, message=message, machines=machines)

        app.lines.place = noted  # type: ignore[method-assign]

    async def run(self, rate: float, seconds: float, patience: float) -> Run:
        """Dial a new list at a fixed rate and wait for the outcomes in the database."""
        calls = round(rate * seconds)
        campaign = await self._list_of(calls)
        await self._connected()
        self._left.clear()
        cpu = cpu_seconds()
        schedule = self._pacing.schedule = Schedule(rate, calls, time.monotonic() + 0.2)
        await self._app.campaigns.set_state(campaign.id, CampaignState.RUNNING)
        give_up = schedule.start + seconds + patience
        while len(self._left) < calls and time.monotonic() < give_up:
            await asyncio.sleep(0.1)
        unfinished = await self._ended(campaign.id, len(self._left), 10.0)
        used = cpu_seconds() - cpu
        lost = await self._ended(campaign.id, len(self._left), 60.0) if unfinished else 0
        self._pacing.schedule = None
        late = Spread.of(schedule.lateness(self._left))
        outcomes = (await self._app.database.campaigns.progress(campaign.id)).outcomes
        return Run(
            placed=len(self._left),
            late_ms_max=1000 * late.most,
            late_ms_p99=1000 * late.p99,
            unfinished=unfinished,
            lost=lost + outcomes.get(Outcome.LOST, 0),
            other=sum(outcomes.values()) - outcomes.get(Outcome.BUSY, 0),
            cpu_seconds=used,
            rss_mb=rss_mb(),
            seconds=self._left[-1] - self._left[0],
        )

    async def _list_of(self, calls: int) -> Campaign:
        name = f"bench {time.time_ns()}"
        campaign = await self._app.database.campaigns.add_campaign(
            Campaign(id=0, name=name, node=self._node, trunk=self._trunk, max_lines=LINES)
        )
        contacts = [
            NewContact(name=f"Contact {n}", numbers=(NewNumber(e164=busy_number(n), raw=busy_number(n)),))
            for n in range(calls)
        ]
        await self._app.database.campaigns.add_list(
            campaign_id=campaign.id, name="list", source="bench", contacts=contacts, at=SystemClock().now()
        )
        await self._app.campaigns.load()
        return campaign

    async def _connected(self) -> None:
        async with asyncio.timeout(30):
            while not self._app.lines.connected(self._node):
                await asyncio.sleep(0.05)

    async def _ended(self, campaign_id: int, placed: int, seconds: float) -> int:
        end = time.monotonic() + seconds
        while True:
            progress = await self._app.database.campaigns.progress(campaign_id)
            missing = placed - sum(progress.outcomes.values())
            if missing <= 0 or time.monotonic() > end:
                return max(0, missing)
            await asyncio.sleep(0.25)


async def main(given: argparse.Namespace) -> None:
    settings = load(given.config)
    node = settings.nodes[0]
    pacing = FixedRate()
    async with open_app(settings, pacer=lambda campaign: Memoryless(pacing)) as app:
        engine = Engine(app, pacing, node.name, node.trunk)
        answer({"ready": True, "url": app.url})
        async for question in questions():
            run = await engine.run(question["rate"], question["seconds"], question["patience"])
            answer(asdict(run))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with suppress(KeyboardInterrupt):
        asyncio.run(main(given))
