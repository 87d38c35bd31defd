"""What the demo makes of the recordings: transcripts by a real model, a search through them, figures of the talks."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from lab.daemon import Daemon, Refused
from lab.demo.screen import say
from lab.installation import cache_folder

MODEL: Final = "small-en-us"
QUERY: Final = '"area code" OR extension OR representative OR conference'
"""Words of what the simulated people and reps say (lab/prompts.py)."""
SHOWN: Final = 8
WITHIN_SECONDS: Final = 180.0
LOOK_SECONDS: Final = 0.5
FIGURES: Final[Mapping[str, tuple[str, str]]] = {
    "talk_ratio": ("rep's share", "{:.0%}"),
    "longest_customer_monologue": ("longest, customer", "{:.1f} s"),
    "longest_agent_monologue": ("longest, rep", "{:.1f} s"),
    "silence_share": ("silence", "{:.0%}"),
    "overtalk_share": ("both speak", "{:.0%}"),
    "interruptions": ("interruptions", "{}"),
    "agent_units_per_minute": ("rep's words/min", "{:.0f}"),
}


async def models_for(console: Console, folder: Path) -> Path | None:
    """Return the folder of the models with the English one in it, fetched if need be; None: it cannot be had."""
    models = cache_folder() / "models"
    if (models / MODEL).is_dir():
        return models
    say(console, f"the speech model {MODEL} is fetched (41 MB)")
    config = folder / "models.toml"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(config.write_text, f'[asr]\nfolder = "{models}"\n', encoding="utf-8")
    command = (sys.executable, "-m", "cti", "models", "fetch", MODEL, "--config", str(config))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode == 0:
        return models
    reason = errors.decode(errors="replace").strip().splitlines()
    say(
        console,
        f"no transcripts: the model cannot be had here: {reason[-1] if reason else 'no reason given'}",
    )
    return None


class Speech:
    """Transcripts of the demo's calls."""

    def __init__(self, daemon: Daemon, console: Console, *, models: Path | None) -> None:
        self._daemon = daemon
        self._console = console
        self.is_on = models is not None
        self.rules: Mapping[str, Any] = (
            {"transcription": {"enabled": True, "language": "en"}} if self.is_on else {}
        )
        """For the campaigns."""

    async def figures(self, calls: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        """Wait for the transcripts, show a search and the talk figures; return what the last line says of them."""
        if not self.is_on:
            return {"transcripts": 0, "search_hits": 0}
        await self._written([call for call in calls if call["recording_path"]])
        found = (await self._daemon.get("search", q=QUERY, limit="100"))["hits"]
        self._console.print(_hits(found))
        judged = [
            (call, await self._judgement(call["id"])) for call in calls if call["outcome"] == "connected"
        ]
        self._console.print(_talks([(call, told) for call, told in judged if told is not None]))
        return {"transcripts": await self._transcripts(calls), "search_hits": len(found)}

    async def _written(self, recorded: Sequence[Mapping[str, Any]]) -> None:
        """Show how far transcription is until nothing waits any more."""
        columns = (TextColumn("[bold]{task.description}"), BarColumn(bar_width=40), MofNCompleteColumn())
        with (
            Progress(*columns, TimeElapsedColumn(), console=self._console) as progress,
            suppress(TimeoutError),
        ):
            task = progress.add_task("transcripts", total=len(recorded))
            async with asyncio.timeout(WITHIN_SECONDS):
                while True:
                    told = await self._daemon.get("transcription")
                    over = told["done_last_hour"] + told["dead"]
                    progress.update(task, completed=min(over, len(recorded)))
                    if over >= len(recorded) and not told["waiting"] and not told["running"]:
                        return
                    await asyncio.sleep(LOOK_SECONDS)

    async def _transcripts(self, calls: Sequence[Mapping[str, Any]]) -> int:
        counted = 0
        for call in calls:
            versions = (await self._daemon.get(f"calls/{call['id']}/transcripts"))["versions"]
            counted += bool(versions)
        return counted

    async def _judgement(self, call_id: str) -> Mapping[str, Any] | None:
        """Return a call's judgement, which comes a moment after its transcript."""
        for _ in range(20):
            with suppress(Refused):
                told: Mapping[str, Any] = await self._daemon.get(f"quality/calls/{call_id}")
                return told
            await asyncio.sleep(LOOK_SECONDS)
        return None


def _hits(found: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("at", "speaker", "rep", "what was said", title=f"Search: {QUERY}", title_justify="left")
    for hit in found[:SHOWN]:
        text = Text(hit["text"])
        for begin, end in hit["marks"]:
            text.stylize("bold yellow", begin, end)
        at = f"{int(hit['at']) // 60}:{int(hit['at']) % 60:02d}"
        table.add_row(at, hit["speaker"], hit["agent"] or "", text)
    table.caption = f"{min(SHOWN, len(found))} of {len(found)} hits"
    return table


def _talks(judged: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Table:
    table = Table(title="How the talks went", title_justify="left")
    table.add_column("contact")
    for title, _ in FIGURES.values():
        table.add_column(title, justify="right")
    for call, told in judged[:SHOWN]:
        figures = told["figures"]
        cells = [
            "" if figures[name] is None else form.format(figures[name]) for name, (_, form) in FIGURES.items()
        ]
        table.add_row(call["contact"] or call["number"], *cells)
    return table
