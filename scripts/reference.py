"""Makes the parts of docs/reference that come from the code; what people wrote stands above the mark and is kept.

`python -m scripts.reference` writes the pages; a test compares them.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
from aiohttp import web
from pydantic import BaseModel

from cti.cli.main import cti
from cti.compliance.profile_keys import TABLES, keys_of_table
from cti.contacts.fields import FIELDS, OPERATORS
from cti.model.call_record import CALL_FIELDS
from cti.model.conditions import Scope
from cti.model.vocabulary import MEANINGS, RESERVED
from cti.settings.listing import Key, all_keys
from cti.web.app import NOUNS, PREFIX
from cti.web.bodies import Body, Query
from cti.web.errors import ANSWERS

FOLDER: Final = Path(__file__).parents[1] / "docs" / "reference"
MARK: Final = "<!-- From here on made from the code by `make docs`. -->"


def settings_page() -> Iterator[str]:
    """Every key, table by table."""
    table = ""
    for key in all_keys():
        if key.table != table:
            table = key.table
            yield f"\n## {'[[' if key.many else '['}{table}{']]' if key.many else ']'}\n"
            yield from _head("Key", "Default", "Meaning", "Environment")
        yield _row(f"`{key.name}`", _default(key), key.meaning, f"`{key.variable}`")


def _default(key: Key) -> str:
    if key.default is None:
        return "must be given"
    return f"`{key.default}`" if key.default else "none"


def record_page() -> Iterator[str]:
    """Every field of a call's record."""
    yield ""
    yield from _head("Field", "Kind", "Meaning")
    for field in CALL_FIELDS:
        yield _row(f"`{field.name}`", field.kind, field.meaning)


def events_page() -> Iterator[str]:
    """Every type of event."""
    yield ""
    yield from _head("Type", "When, and its fields beside the envelope's")
    for kind, meaning in MEANINGS.items():
        yield _row(f"`{kind}`", meaning)
    if RESERVED:
        yield f"\nReserved for later: {', '.join(f'`{name}`' for name in sorted(RESERVED))}."


def conditions_page() -> Iterator[str]:
    """Every operator by kind, and every field by what it is about."""
    yield "\n## Operators\n"
    yield from _head("Kind of field", "Operators")
    for kind, operators in OPERATORS.items():
        yield _row(kind.value, ", ".join(f"`{operator}`" for operator in operators))
    for scope, title in ((Scope.CONTACT, "contacts"), (Scope.ENTRY, "entries"), (Scope.CALL, "calls")):
        yield f"\n## Fields of {title}\n"
        yield from _head("Field", "Kind", "Meaning")
        for name, field in FIELDS[scope].items():
            yield _row(f"`{name}`", field.kind.value, field.meaning)


def profiles_page() -> Iterator[str]:
    """Every key of a compliance profile, table by table."""
    for table, model in TABLES.items():
        yield f"\n## {table or 'Outside tables'}\n"
        yield from _head("Key", "Default", "Meaning")
        for key in keys_of_table(model):
            yield _row(f"`{key.name}`", f"`{key.default}`" if key.default else "none", key.meaning)
        if table == "areas":
            yield "\nAnd `hours`, `holidays`, `windows` and the other limits as above."


def cli_page() -> Iterator[str]:
    """The help of every command."""
    yield from _commands(cti, click.Context(cti, info_name="cti", terminal_width=100, **cti.context_settings))


def _commands(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"\n## {context.command_path}\n\n```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.commands[name]
            yield from _commands(
                below, click.Context(below, info_name=name, parent=context, terminal_width=100)
            )


def api_page() -> Iterator[str]:
    """Every route, and what every error is answered with."""
    for routes in NOUNS:
        for route in routes:
            if isinstance(route, web.RouteDef):
                yield from _route(route)
    yield "\n## Errors\n"
    yield from _head("Status", "`kind`")
    for status, kind in sorted(
        {*ANSWERS.values(), (503, "storage_away"), (500, "internal"), (413, "too_large")}
    ):
        yield _row(str(status), f"`{kind}`")


WHO: Final[Mapping[str, str]] = {
    "leader": "lead, admin",
    "may_act_for": "lead, admin; the agent himself",
    "reviewer": "qa, lead, admin",
    "worker": "worker, admin",
    "_asked": "worker, admin",
    "_feed": "sync, admin",
    "syncer": "sync, admin",
    "_administrator": "admin",
    "_wanted": "everybody with a token; an agent for himself",
    "_own_call": "lead, admin; an agent his own calls",
    "own_agent": "qa, lead, admin; an agent his own",
    "agent_asked": "qa, lead, admin; an agent his own",
    "visible_call": "qa, lead, admin; an agent his own calls",
    "caller": "everybody with a token; an agent sees his own",
    "_introduced": "everybody with a token; an agent what is about him",
}
"""By the function that a handler asks; the first that it uses."""


def _route(route: web.RouteDef) -> Iterator[str]:
    handler: Any = route.handler
    names = handler.__code__.co_names
    who = (
        "everybody"
        if route.path == "/health"
        else next(text for asked, text in WHO.items() if asked in names)
    )
    path = PREFIX + route.path.replace(":[0-9a-f]{32}", "").replace(r":\d{1,18}", "").replace(
        "{order:start|pause|stop}", "{start,pause,stop}"
    ).replace("{name:[a-z0-9][a-z0-9_-]{0,39}}", "{name}")
    yield f"\n### {route.method} {path}\n\n{inspect.cleandoc(handler.__doc__ or '')}\n\nFor: {who}."
    for name in names:
        model = handler.__globals__.get(name)
        if isinstance(model, type) and issubclass(model, (Body, Query)):
            yield from _model(model, "Query" if issubclass(model, Query) else "Body")


def _model(model: type[BaseModel], where: str) -> Iterator[str]:
    schema = model.model_json_schema()
    yield ""
    yield from _head(where, "Kind", "Default")
    for name, field in schema["properties"].items():
        default = "must be given" if name in schema.get("required", ()) else f"`{field.get('default')}`"
        yield _row(f"`{name}`", _kind(field, schema), "none" if default == "`None`" else default)


LIMITS: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "maxLength": "at most {} characters",
    "pattern": "`{}`",
}


def _kind(field: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in field:
        return _kind(schema["$defs"][field["$ref"].rsplit("/", 1)[-1]], schema)
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(part, schema) for part in field["anyOf"] if part.get("type") != "null")
    if field.get("type") == "array":
        return f"list of {_kind(field['items'], schema)}"
    kind = "time" if field.get("format") == "date-time" else field.get("type", "text")
    limits = [text.format(field[limit]) for limit, text in LIMITS.items() if limit in field]
    return ", ".join([{"string": "text"}.get(kind, kind), *limits])


def _head(*columns: str) -> Iterator[str]:
    yield _row(*columns)
    yield _row(*("---" for _ in columns))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


PAGES: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "compliance-profiles.md": profiles_page,
    "settings.md": settings_page,
    "api.md": api_page,
    "events.md": events_page,
    "cli.md": cli_page,
    "conditions.md": conditions_page,
    "call-record.md": record_page,
}


def page(name: str) -> str:
    """Return the page as it should be: the written part of the file, the mark, the made part."""
    written = (FOLDER / name).read_text(encoding="utf-8").split(MARK)[0]
    made = "\n".join(PAGES[name]())
    return f"{written}{MARK}\n{made}\n"


if __name__ == "__main__":
    for known in PAGES:
        (FOLDER / known).write_text(page(known), encoding="utf-8")
