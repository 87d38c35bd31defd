"""`cti transcripts status | retry`: how transcription stands, and having it done again."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import click

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.cli.shown import show
from cti.errors import BadInput

DEAD: Final = ("id", "call_id", "error")


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Show JSON.")
@talks
async def show_status(api: ApiClient, as_json: bool) -> None:
    """Show the queue, its age, what was done within the hour, the workers, and what failed for good."""
    told = await api.get("transcription")
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for line in status_lines(told, datetime.now(UTC)):
        click.echo(line)
    if told["dead_letters"]:
        show(told["dead_letters"], DEAD, None)


def status_lines(told: dict[str, Any], now: datetime) -> list[str]:
    """Return the answer as sentences. Pure."""
    lines = [
        f"{told['waiting']} wait, {told['running']} run, {told['dead']} failed for good",
        f"{told['done_last_hour']} done within the last hour",
    ]
    if told["oldest_due_at"]:
        age = (now - datetime.fromisoformat(told["oldest_due_at"])).total_seconds()
        lines.append(f"the oldest is due for {max(age, 0) / 60:.1f} min")
    if told["workers_wanted"]:
        lines.append(f"{told['workers_alive']} of {told['workers_wanted']} workers beside the service run")
    if told["workers_seen"]:
        lines.append(f"workers that asked lately: {', '.join(told['workers_seen'])}")
    if told["redis"]:
        lines.append(f"Redis: {told['redis']}")
    return lines


@click.command("retry")
@click.argument("call_id", required=False)
@click.option("--dead", is_flag=True, help="All that failed for good.")
@click.option("--model", help="Name of a model profile; else the campaign's.")
@click.option("--language", help="Language, for example en, zh; else the campaign's.")
@talks
async def retry(
    api: ApiClient, call_id: str | None, dead: bool, model: str | None, language: str | None
) -> None:
    """Have CALL_ID's recording transcribed (again), or with --dead all that failed for good.

    A transcript that is there stays as an older version; the same model again changes nothing.
    """
    if (call_id is None) is not dead:
        raise BadInput("give a call's id, or --dead, and not both")
    if dead:
        if model or language:
            raise BadInput("--model and --language are for one call")
        told = await api.post("transcription/dead/retry")
        click.echo(f"{told['retried']} are tried again")
        return
    wish = {key: value for key, value in (("model", model), ("language", language)) if value is not None}
    await api.post(f"calls/{call_id}/transcription", wish)
    click.echo(f"call {call_id} will be transcribed")
