"""`cti quality rules` and `cti quality cards`: looked at, brought in from files, taken out of use."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.cli.shown import form_options, show
from cti.errors import BadInput

RULE_COLUMNS: Final = ("code", "version", "kind", "severity", "speaker", "phrases", "campaigns", "active")
HISTORY_COLUMNS: Final = ("version", "revision", "at", "by", "kind", "severity", "phrases", "active")
CARD_COLUMNS: Final = ("code", "title", "version", "questions", "pass_mark", "active")
QUESTION_COLUMNS: Final = ("section", "code", "text", "kind", "weight", "fatal", "may_be_na", "auto")
_PIECE_BYTES: Final = 48_000
"""Of rules in one request: the API takes bodies of 64 KiB."""
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def rules() -> None:
    """Keyword rules: what must be said, and what must not."""


@rules.command("show")
@click.argument("code", required=False)
@form_options
@talks
async def show_rules(api: ApiClient, code: str | None, form: str | None) -> None:
    """Show all rules, or all versions of the rule CODE."""
    if code is None:
        show((await api.get("quality/rules"))["rules"], RULE_COLUMNS, form)
        return
    show((await api.get(f"quality/rules/{quote(code, safe='')}"))["versions"], HISTORY_COLUMNS, form)


@rules.command("import")
@click.argument("file", type=_FILE)
@talks
async def import_rules(api: ApiClient, file: Path) -> None:
    """Write the rules of a FILE (.toml or .json, tables `rules`); a rule that is as before stays."""
    changed, count = 0, 0
    for piece in _pieces(_tables(file, "rules")):
        count += len(piece)
        changed += len((await api.put("quality/rules", {"rules": piece}))["changed"])
    click.echo(f"{count} rules, {changed} of them new or changed; old calls follow with `cti quality rescan`")


@rules.command("retire")
@click.argument("code")
@click.option("--back", is_flag=True, help="Take it into use again.")
@talks
async def retire_rule(api: ApiClient, code: str, back: bool) -> None:
    """Take a rule out of use; old verdicts keep it."""
    await api.post(f"quality/rules/{quote(code, safe='')}/retire", {"back": back})
    click.echo(f"rule {code} is {'in use' if back else 'out of use'}")


@rules.command("try")
@click.argument("file", type=_FILE)
@click.argument("calls", nargs=-1, required=True)
@form_options
@talks
async def try_rules(api: ApiClient, file: Path, calls: tuple[str, ...], form: str | None) -> None:
    """Hold the rules of a FILE against CALLS, and keep nothing."""
    rows = []
    for rule in _tables(file, "rules"):
        tried = await api.post("quality/rules/try", {"rule": rule, "calls": list(calls)})
        for one in tried["calls"]:
            verdict = one["verdict"] or {}
            hits = [f"{hit['words']} ({hit['start']:.1f} s)" for hit in verdict.get("hits", [])]
            rows.append(
                {
                    "rule": rule.get("code"),
                    "call_id": one["call_id"],
                    "broken": verdict.get("broken"),
                    "hits": hits,
                }
            )
    show(rows, ("rule", "call_id", "broken", "hits"), form)


@click.group()
def cards() -> None:
    """Score cards: the questions that a call is scored by."""


@cards.command("show")
@click.argument("code", required=False)
@click.option("--version", type=int, help="An old version; else the newest.")
@form_options
@talks
async def show_cards(api: ApiClient, code: str | None, version: int | None, form: str | None) -> None:
    """Show all score cards, or the questions of the card CODE."""
    if code is None:
        show((await api.get("quality/cards"))["cards"], CARD_COLUMNS, form)
        return
    told = await api.get(f"quality/cards/{quote(code, safe='')}", version=version)
    rows = [
        question | {"section": section["title"], "auto": _auto(question["auto"])}
        for section in told["card"]["sections"]
        for question in section["questions"]
    ]
    show(rows, QUESTION_COLUMNS, form, title=f"{told['title'] or code}, version {told['version']}")


@cards.command("import")
@click.argument("file", type=_FILE)
@talks
async def import_cards(api: ApiClient, file: Path) -> None:
    """Write the score cards of a FILE (.toml or .json, tables `cards`); a card that is as before stays."""
    for card in _tables(file, "cards"):
        code = card.get("code")
        if not isinstance(code, str) or not code:
            raise BadInput(f"{file}: cards: each needs a code")
        told = await api.put(f"quality/cards/{quote(code, safe='')}", {"card": card})
        click.echo(f"card {code}: version {told['version']}")


@cards.command("retire")
@click.argument("code")
@click.option("--back", is_flag=True, help="Take it into use again.")
@talks
async def retire_card(api: ApiClient, code: str, back: bool) -> None:
    """Take a card out of use; its scores stay."""
    await api.post(f"quality/cards/{quote(code, safe='')}/retire", {"back": back})
    click.echo(f"card {code} is {'in use' if back else 'out of use'}")


def _tables(file: Path, name: str) -> list[dict[str, Any]]:
    """Return the tables of that name of a file. Raises BadInput naming the file and what is wrong in it."""
    try:
        text = file.read_text(encoding="utf-8")
        read = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except (ValueError, RecursionError, OSError) as error:
        raise BadInput(f"{file}: {error}") from None
    tables = read.get(name) if isinstance(read, Mapping) else None
    if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
        raise BadInput(f"{file}: holds no {name}; write [[{name}]] tables")
    return tables


def _pieces(tables: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    piece: list[dict[str, Any]] = []
    size = 0
    for one in tables:
        length = len(json.dumps(one, default=str).encode())
        if piece and size + length > _PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(one)
        size += length
    yield piece


def _auto(auto: Mapping[str, Any] | None) -> str | None:
    if auto is None:
        return None
    if auto["rule"]:
        return f"rule {auto['rule']}"
    least, most = auto["at_least"], auto["at_most"]
    return f"{auto['figure']} {'' if least is None else least} to {'' if most is None else most}"
