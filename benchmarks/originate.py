"""Calls placed per second on a real Asterisk: the engine with all it writes down, beside a loop that only sends."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import said
from benchmarks.child import child
from benchmarks.rows import Row
from benchmarks.stairs import HIGHEST, STEP, Climb, Run, summary
from lab.daemon import settings_toml
from lab.exchange import Lab
from lab.settings import LabSettings

NAME = "originate"
SECONDS = 20.0
PATIENCE = 15.0
"""Seconds after the schedule's end at which a side that is behind is stopped."""
RTP_PORTS = 6000
"""Of each Asterisk: 3000 calls at once."""
MOST_LINES = 20_000


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides, beside one lab."""

    lab: Lab
    folder: Path

    def write_settings(self) -> None:
        """Write the service's settings: no limit but the benchmark's."""
        text = settings_toml(
            self.lab,
            self.folder,
            api_port=self.lab.settings.spare_port,
            calls_per_second=100_000,
            max_lines=MOST_LINES,
        )
        (self.folder / "cti.toml").write_text(text)

    async def run(self, climb: Climb, rate: int) -> Run:
        """Run one side at one rate. It is a new process each time: only one is connected to the PBX at a time."""
        arguments = self._ours() if climb.name == "ours" else self._bare()
        async with child(*arguments, log=self.folder / f"{climb.name}.log") as process:
            await process.ask(within=30)
            asked = {"rate": rate, "seconds": SECONDS, "patience": PATIENCE}
            return Run(**await process.ask(asked, within=SECONDS + PATIENCE + 120))

    def _ours(self) -> tuple[str, ...]:
        return ("engine_process", "--config", str(self.folder / "cti.toml"))

    def _bare(self) -> tuple[str, ...]:
        pbx = self.lab.pbx
        account = (
            "--host",
            pbx.host,
            "--port",
            str(pbx.ami_port),
            "--user",
            pbx.user,
            "--secret",
            pbx.secret,
        )
        return ("bare_dialer", *account, "--trunk", pbx.trunk)


def rates() -> Iterator[int]:
    """Give the stairs."""
    yield from range(STEP, HIGHEST + 1, STEP)


async def run() -> None:
    """Climb, alternating, until neither side holds any more."""
    ours, bare = Climb("ours"), Climb("bare")
    with tempfile.TemporaryDirectory(prefix="waihu-bench-") as place:
        folder = Path(place)
        async with Lab.open(LabSettings.free(folder / "lab", rtp_ports=RTP_PORTS)) as lab:
            sides = Sides(lab, folder)
            sides.write_settings()
            with said.bar() as progress:
                task = progress.add_task(NAME, total=len(list(rates())))
                for rate in rates():
                    if not (ours.climbing or bare.climbing):
                        break
                    said.row(NAME, await _step(sides, (ours, bare), rate))
                    progress.advance(task)
    said.row(NAME, summary(ours, bare))


async def _step(sides: Sides, climbs: tuple[Climb, Climb], rate: int) -> Row:
    waiting = [climb for climb in climbs if climb.climbing]
    while waiting:
        for climb in list(waiting):
            run = await sides.run(climb, rate)
            if climb.note(rate, run, round(rate * SECONDS)):
                waiting.remove(climb)
            verdict = "holds" if climb.held >= rate else "does not hold"
            late, cpu = f"{run.late_ms_max:.0f} ms late", f"{run.cpu_ms_per_call:.2f} ms of processor a call"
            said.step(f"{NAME}: {climb.name} {rate}/s {verdict}: {late}, {run.unfinished} unfinished, {cpu}")
    return {"rate": rate, **climbs[0].figures(rate), **climbs[1].figures(rate)}
