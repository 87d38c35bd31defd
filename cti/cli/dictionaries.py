"""`cti dictionary`."""

from typing import Any, Final
from urllib.parse import quote

import click

from cti.cli.client import ApiClient
from cti.cli.frame import talks
from cti.cli.shown import form_options, show
from cti.model.dictionaries import DictionaryKind, Meaning

COLUMNS: Final = ("code", "labels", "meanings", "position", "retired_at", "campaign_id")
_KIND: Final = click.Choice([kind.value for kind in DictionaryKind])
_MEANING: Final = click.Choice([meaning.value for meaning in Meaning])


@click.group()
def dictionary() -> None:
    """Dictionaries: dispositions, pause codes, stages, tags, skip reasons."""


def _entry_options(command: Any) -> Any:
    for option in (
        click.option("--campaign", help="Id or name; else the installation's."),
        click.option("--position", type=int, help="Smaller is shown first."),
        click.option("--means", "meanings", multiple=True, type=_MEANING, help="May be given again."),
        click.option("--label", "labels", multiple=True, metavar="LANGUAGE=TEXT", help="May be given again."),
    ):
        command = option(command)
    return command


@dictionary.command("show")
@click.argument("kind", type=_KIND)
@click.option("--campaign", help="What holds in this campaign (id or name).")
@form_options
@talks
async def show_dictionary(api: ApiClient, kind: str, campaign: str | None, form: str | None) -> None:
    """Show the codes of a KIND."""
    show((await api.get(f"dictionaries/{kind}", campaign=campaign))["entries"], COLUMNS, form)


@dictionary.command("add")
@click.argument("kind", type=_KIND)
@click.argument("code")
@_entry_options
@talks
async def add(
    api: ApiClient,
    kind: str,
    code: str,
    labels: tuple[str, ...],
    meanings: tuple[str, ...],
    position: int | None,
    campaign: str | None,
) -> None:
    """Add a CODE; it stays for ever."""
    body = {"code": code, "labels": _labels(labels), "meanings": list(meanings), "campaign": campaign}
    await api.post(f"dictionaries/{kind}", body | ({} if position is None else {"position": position}))
    click.echo(f"{kind}: {code} is added")


@dictionary.command("change")
@click.argument("kind", type=_KIND)
@click.argument("code")
@_entry_options
@click.option("--no-meaning", is_flag=True, help="It means nothing to the service any more.")
@talks
async def change(
    api: ApiClient,
    kind: str,
    code: str,
    labels: tuple[str, ...],
    meanings: tuple[str, ...],
    position: int | None,
    campaign: str | None,
    no_meaning: bool,
) -> None:
    """Change labels (all of them), meanings (all of them) or position of a CODE."""
    given = {
        "labels": _labels(labels) or None,
        "meanings": [] if no_meaning else list(meanings) or None,
        "position": position,
    }
    await _patch(
        api, kind, code, campaign, {name: value for name, value in given.items() if value is not None}
    )
    click.echo(f"{kind}: {code} is changed")


@dictionary.command("retire")
@click.argument("kind", type=_KIND)
@click.argument("code")
@click.option("--campaign", help="Id or name; else the installation's.")
@click.option("--back", is_flag=True, help="Take it into use again.")
@talks
async def retire(api: ApiClient, kind: str, code: str, campaign: str | None, back: bool) -> None:
    """Take a CODE out of use: old records keep it, nobody chooses it anew."""
    await _patch(api, kind, code, campaign, {"retired": not back})
    click.echo(f"{kind}: {code} is {'in use' if back else 'retired'}")


async def _patch(api: ApiClient, kind: str, code: str, campaign: str | None, body: dict[str, Any]) -> None:
    query = {"campaign": campaign} if campaign else {}
    await api.ask("PATCH", f"dictionaries/{kind}/{quote(code, safe='')}", json=body, params=query)


def _labels(given: tuple[str, ...]) -> dict[str, str]:
    labels = {}
    for one in given:
        language, found, text = one.partition("=")
        if not found:
            raise click.BadParameter(f"{one!r} is not LANGUAGE=TEXT", param_hint="--label")
        labels[language] = text
    return labels
