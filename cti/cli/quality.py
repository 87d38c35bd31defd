"""`cti quality`: figures, flags, the queue, results; rescans and draws. Rules and cards stand beside."""

from collections.abc import Mapping
from typing import Any, Final

import click

from cti.cli.client import ApiClient
from cti.cli.frame import Moment, span_options, talks
from cti.cli.quality_rules import cards, rules
from cti.cli.shown import Form, form_options, show
from cti.model.talk_figures import FIGURES
from cti.quality.results import ResultKind

FLAG_COLUMNS: Final = ("call_id", "placed_at", "agent", "severity", "rule", "second", "speaker", "words")
QUEUE_COLUMNS: Final = ("id", "call_id", "placed_at", "agent", "source", "reason", "claimed_by")
REVIEW_COLUMNS: Final = ("id", "call_id", "agent", "card", "reviewer", "state", "points", "passed", "fatal")
RESCAN_COLUMNS: Final = (
    "id",
    "state",
    "matched",
    "looked_at",
    "judged",
    "changed",
    "without_transcript",
    "by",
)


@click.group()
def quality() -> None:
    """Judge calls: keyword rules, talk figures, score cards, the review queue, results."""


quality.add_command(rules)
quality.add_command(cards)


@quality.command("figures")
@click.argument("call")
@form_options
@talks
async def show_figures(api: ApiClient, call: str, form: str | None) -> None:
    """Show the talk figures of a CALL, and the keyword rules that it broke."""
    told = await api.get(f"quality/calls/{call}")
    if form in (Form.JSON, Form.CSV):
        show([told["figures"]], FIGURES, form)
        return
    rows = [{"figure": name, "value": told["figures"][name]} for name in FIGURES]
    show(rows, ("figure", "value"), form, title=f"Call {call}")
    broken = [row for verdict in told["verdicts"] if verdict["broken"] for row in _hit_rows(told, verdict)]
    if broken:
        click.echo()
        show(broken, ("rule", "severity", "second", "speaker", "words"), form, title="Broken rules")


@quality.command("flags")
@click.option("--agent", help="Login.")
@click.option("--campaign", help="Id or name.")
@click.option("--rule", help="Code of a keyword rule.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Calls.")
@span_options
@form_options
@talks
async def show_flags(api: ApiClient, form: str | None, **asked: Any) -> None:
    """Show calls that broke keyword rules, newest first, one line for each rule."""
    flags = (await api.get("quality/flags", **asked))["flags"]
    names = await _logins(api)
    rows = [row for one in flags for verdict in one["verdicts"] for row in _hit_rows(one, verdict)[:1]]
    show([row | {"agent": names.get(row["agent_id"])} for row in rows], FLAG_COLUMNS, form)


@quality.command("queue")
@click.option("--campaign", help="Id or name.")
@click.option("--state", type=click.Choice(["waiting", "done", "dropped", "all"]), default="waiting")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Calls.")
@form_options
@talks
async def show_queue(api: ApiClient, campaign: str | None, state: str, limit: int, form: str | None) -> None:
    """Show calls that wait for a review, in the order in which they are given out."""
    places = (await api.get("quality/queue", campaign=campaign, state=state, limit=limit))["queue"]
    names = await _logins(api)
    show([one | {"agent": names.get(one["agent_id"])} for one in places], QUEUE_COLUMNS, form)


@quality.command("put")
@click.argument("call")
@click.option("--reason", help="Why, for whoever reviews it.")
@talks
async def put(api: ApiClient, call: str, reason: str | None) -> None:
    """Put a CALL into the review queue before all others."""
    await api.post("quality/queue", {"call": call, "reason": reason})
    click.echo(f"call {call} waits for a review")


@quality.command("sample")
@click.argument("quota", type=click.IntRange(1, 1000))
@click.option("--week", help="A week that is over, as 2026-W48; else last week.")
@click.option("--seed", help="Else the settings'.")
@click.option("--campaign", help="Id or name.")
@talks
async def sample(api: ApiClient, quota: int, **asked: str | None) -> None:
    """Draw QUOTA calls of each agent for review; drawing again adds nothing."""
    given = {name: value for name, value in asked.items() if value is not None}
    drawn = await api.post("quality/queue/sample", {"quota": quota, **given})
    click.echo(
        f"{drawn['week']}: {len(drawn['drawn'])} of {drawn['calls']} calls are drawn with the seed "
        f"{drawn['seed']!r}, {drawn['added']} of them new in the queue"
    )


@quality.command("reviews")
@click.option("--agent", help="Login.")
@click.option("--reviewer", help="Name of a token.")
@click.option("--state", type=click.Choice(["draft", "submitted", "appealed", "resolved"]))
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Reviews.")
@form_options
@talks
async def show_reviews(api: ApiClient, form: str | None, **asked: Any) -> None:
    """Show reviews, newest first."""
    reviews = (await api.get("quality/reviews", **asked))["reviews"]
    names = await _logins(api)
    show([one | {"agent": names.get(one["agent_id"])} for one in reviews], REVIEW_COLUMNS, form)


@quality.command("results")
@click.argument("kind", type=click.Choice([kind.value for kind in ResultKind]))
@click.option("--agent", help="Login.")
@click.option("--campaign", help="Id or name.")
@span_options
@form_options
@talks
async def show_results(api: ApiClient, kind: str, form: str | None, **asked: Any) -> None:
    """Show results of a KIND; of the last 30 days when no time is said."""
    table = await api.get(f"quality/results/{kind}", **asked)
    show(table["rows"], table["columns"], form, title=table["title"])


@quality.command("rescan")
@click.option("--campaign", help="Id or name; else of all.")
@click.option("--stop", type=click.IntRange(1), metavar="ID", help="Let this one judge no more calls.")
@click.option("--show", "only_show", is_flag=True, help="Show how far rescans have come; begin none.")
@click.option("--since", type=Moment(), help="Only calls from this time on (2026-11-23, today, 2h).")
@form_options
@talks
async def rescan(
    api: ApiClient,
    campaign: str | None,
    since: str | None,
    only_show: bool,
    stop: int | None,
    form: str | None,
) -> None:
    """Judge calls anew by the rules as they are now."""
    if stop is not None:
        stopped = await api.post(f"quality/rescans/{stop}/stop")
        click.echo(f"rescan {stop} is {stopped['state']}: {stopped['judged']} calls were judged")
        return
    if not only_show:
        given = {"campaign": campaign, "since": since}
        begun = await api.post("quality/rescans", given)
        click.echo(f"rescan {begun['id']}: {begun['matched']} calls; look with `cti quality rescan --show`")
        return
    show((await api.get("quality/rescans"))["rescans"], RESCAN_COLUMNS, form)


def _hit_rows(call: Mapping[str, Any], verdict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each hit; one without words for a rule that was broken by silence."""
    about = {**call, "rule": verdict["rule"], "severity": verdict["severity"]}
    return [
        about | {"second": hit.get("start"), "speaker": hit.get("speaker"), "words": hit.get("words")}
        for hit in verdict["hits"] or [{}]
    ]


async def _logins(api: ApiClient) -> dict[int, str]:
    return {agent["id"]: agent["login"] for agent in (await api.get("agents"))["agents"]}
