"""`cti contacts`."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.cli.shown import form_options, show
from cti.contacts.fields import FIELDS, Kind
from cti.model.conditions import Scope
from cti.model.contact_rows import Sort

COLUMNS: Final = "id,name,number,owner,stage,tags,last_talk_at,next_follow_up_at"
ENTRY_COLUMNS: Final = ("campaign", "list", "state", "tries", "priority", "due_at", "reason", "reason_detail")
CALL_COLUMNS: Final = ("placed_at", "number", "agent", "outcome", "talk_seconds", "disposition", "id")


ACTIONS: Final = ("assign", "tag", "untag", "stage", "stop", "reopen", "priority", "move")
ACTION_COLUMNS: Final = (
    "id",
    "action",
    "by",
    "at",
    "state",
    "matched",
    "looked_at",
    "changed",
    "left",
    "undoes",
    "undone_by",
)


@click.group()
def contacts() -> None:
    """Contacts: find many, look at one, change many."""


def condition_options(command: Any) -> Any:
    """Add --where (again and again: all of them), --condition and --zone."""
    for option in (
        click.option("--zone", help="Time zone of words like today; else the settings' one."),
        click.option("--condition", help="A condition as JSON."),
        click.option(
            "--where",
            multiple=True,
            metavar="'FIELD OPERATOR VALUE'",
            help="A test, for example 'owner is anna', 'created within last 7 days', 'tag empty true'; "
            "given again: all of them.",
        ),
    ):
        command = option(command)
    return command


def condition_from(where: Iterable[str], condition: str | None) -> dict[str, Any]:
    """Return the condition that the options mean. Raises click's own error."""
    parts: list[Any] = [_test(text) for text in where]
    if condition:
        try:
            parts.append(json.loads(condition))
        except ValueError as error:
            raise click.BadParameter(f"is not JSON: {error}", param_hint="--condition") from None
    return {"all": parts} if parts else {}


def _test(text: str) -> dict[str, Any]:
    words = text.split(None, 2) if not text.startswith("field:") else _custom(text)
    if len(words) != 3:
        raise click.BadParameter(f"{text!r} is not FIELD OPERATOR VALUE", param_hint="--where")
    field, operator, value = words
    return {"field": field, operator: _value(field, operator, value)}


def _custom(text: str) -> list[str]:
    """Split at the operator: the header of a custom field may hold blanks."""
    for operator in ("is", "is_not", "contains", "starts_with", "one_of", "empty"):
        header, found, value = text.partition(f" {operator} ")
        if found:
            return [header, operator, value]
    return [text]


def _value(field: str, operator: str, value: str) -> Any:
    known = FIELDS[Scope.CONTACT].get(field)
    read = _READERS.get(known.kind if known else Kind.TEXT, str)
    try:
        match operator:
            case "empty":
                return {"true": True, "false": False}[value]
            case "one_of":
                return [read(part.strip()) for part in value.split(",")]
            case "within" if ".." in value:
                return [part.strip() for part in value.split("..", 1)]
        return read(value)
    except (KeyError, ValueError):
        raise click.BadParameter(
            f"{field} {operator}: {value!r} does not fit", param_hint="--where"
        ) from None


_READERS: Final[Mapping[Kind, Callable[[str], Any]]] = {Kind.WHOLE: int, Kind.NUMBER: float}


@contacts.command("find")
@condition_options
@click.option(
    "--sort",
    type=click.Choice([sort.value for sort in Sort]),
    default="-id",
    show_default=True,
    help="Order.",
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most contacts.")
@click.option("--count", "count_only", is_flag=True, help="Only say how many there are.")
@click.option("--columns", default=COLUMNS, show_default=True, help="Fields of the contact.")
@form_options
@talks
async def find(
    api: ApiClient,
    where: tuple[str, ...],
    condition: str | None,
    zone: str | None,
    sort: str,
    limit: int,
    count_only: bool,
    columns: str,
    form: str | None,
) -> None:
    """Find contacts."""
    asked: dict[str, Any] = {"condition": condition_from(where, condition), "sort": sort, "zone": zone}
    if count_only:
        told = await api.post("contacts/find", asked | {"limit": 1, "count": True})
        click.echo(told["count"])
        return
    rows: list[dict[str, Any]] = []
    cursor = None
    while len(rows) < limit:
        page = {"limit": min(limit - len(rows), 1000), "cursor": cursor}
        told = await api.post("contacts/find", asked | page)
        rows += told["contacts"]
        cursor = told["next"]
        if cursor is None:
            break
    show([_row(row) for row in rows], columns.split(","), form)


@contacts.command("show")
@click.argument("contact", type=int)
@form_options
@talks
async def show_contact(api: ApiClient, contact: int, form: str | None) -> None:
    """Show all of one CONTACT (its id): facts, places in lists, calls, history."""
    told = await api.get(f"contacts/{contact}")
    if form:
        show([told], list(told), form)
        return
    facts = {name: value for name, value in _row(told).items() if name not in ("entries", "calls", "history")}
    show([{"field": name, "value": value} for name, value in facts.items()], ("field", "value"), None)
    for title, columns in (
        ("entries", ENTRY_COLUMNS),
        ("calls", CALL_COLUMNS),
        ("history", ("at", "by", "kind", "bulk", "change")),
    ):
        click.echo(f"\n{title}")
        show(told[title], columns, None)


@contacts.command("record")
@click.argument("contact", type=int)
@form_options
@talks
async def show_record(api: ApiClient, contact: int, form: str | None) -> None:
    """Show what happened with one CONTACT (its id), newest first: calls, notes, callbacks, changes."""
    told = await api.get(f"contacts/{contact}/record")
    if form:
        show([told], list(told), form)
        return
    for name in ("name", "owner", "stage", "next_follow_up_at"):
        click.echo(f"{name}: {told[name] if told[name] is not None else '-'}")
    click.echo(f"tags: {', '.join(told['tags']) or '-'}")
    show(told["timeline"], ("at", "kind", "by", "text"), None)


@contacts.command("note")
@click.argument("contact", type=int)
@click.argument("text")
@talks
async def add_note(api: ApiClient, contact: int, text: str) -> None:
    """Write TEXT into the history of a CONTACT (its id)."""
    await api.post(f"contacts/{contact}/notes", {"text": text})
    click.echo("noted")


@contacts.command("bulk")
@click.argument("action", type=click.Choice(ACTIONS))
@condition_options
@click.option("--id", "ids", type=int, multiple=True, help="A contact's id, instead of a condition; again.")
@click.option("--owner", help="Of assign: the agent's login.")
@click.option("--take-over", is_flag=True, default=None, help="Of assign: also from other agents.")
@click.option("--tag", help="Of tag and untag.")
@click.option("--stage", help="Of stage.")
@click.option("--priority", type=int, help="Of priority.")
@click.option("--campaign", help="Of move: the campaign of the list.")
@click.option("--list", "list_id", type=int, help="Of move: the list's id.")
@click.option("--from-list", type=int, help="Of move and priority: only entries of this list.")
@click.option("--dry-run", is_flag=True, help="Only count what would happen.")
@talks
async def bulk(
    api: ApiClient,
    action: str,
    where: tuple[str, ...],
    condition: str | None,
    ids: tuple[int, ...],
    list_id: int | None,
    **given: Any,
) -> None:
    """Do one ACTION to many contacts; it goes on by itself (see `cti contacts actions`)."""
    body = {name: value for name, value in given.items() if value is not None}
    chosen = {"ids": list(ids)} if ids else {"condition": condition_from(where, condition)}
    if not ids and not chosen["condition"]:
        raise click.UsageError("say which contacts: --where, --condition or --id")
    listed = {"list": list_id} if list_id is not None else {}
    _tell(await api.post("contacts/bulk", {"action": action} | body | chosen | listed))


@contacts.command("list")
@click.argument("campaign")
@click.argument("name")
@condition_options
@click.option("--priority", type=int, default=0, show_default=True, help="Higher is dialed first.")
@click.option("--again", is_flag=True, help="Also those who stand in the campaign already.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@talks
async def make_list(
    api: ApiClient, campaign: str, where: tuple[str, ...], condition: str | None, **given: Any
) -> None:
    """Make a list NAME of a CAMPAIGN from the contacts that a condition finds."""
    body = {name: value for name, value in given.items() if value is not None}
    body["condition"] = condition_from(where, condition)
    _tell(await api.post(f"campaigns/{quote(campaign, safe='')}/lists/from-query", body))


@contacts.command("actions")
@click.argument("action", type=int, required=False)
@form_options
@talks
async def actions(api: ApiClient, action: int | None, form: str | None) -> None:
    """Show the actions on many that were begun, or one ACTION (its id)."""
    rows = (await api.get("contacts/bulk"))["actions"]
    if action is not None:
        rows = [await api.get(f"contacts/bulk/{action}")]
    show(rows, ACTION_COLUMNS, form)


@contacts.command("undo")
@click.argument("action", type=int)
@talks
async def undo(api: ApiClient, action: int) -> None:
    """Take an ACTION on many back, where nobody changed the contact since."""
    _tell(await api.post(f"contacts/bulk/{action}/undo"))


def _tell(told: dict[str, Any]) -> None:
    left = ", ".join(f"{count} {reason}" for reason, count in told["left"].items())
    if told.get("dry_run"):
        click.echo(
            f"{told['matched']} found, {told['would_change']} would change{f'; left: {left}' if left else ''}"
        )
        return
    click.echo(f"action {told['id']} ({told['action']}) is begun on {told['matched']} contacts")


def _row(told: dict[str, Any]) -> dict[str, Any]:
    numbers = [number["e164"] for number in told["numbers"]]
    return told | {"number": numbers[0] if numbers else None, "numbers": numbers}
