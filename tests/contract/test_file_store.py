"""The contract of `FileStore`: a folder, and a real S3 server."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cti.errors import FileMissing, RecordingError
from cti.recording.file_store import FolderStore
from cti.recording.plan import S3Place
from cti.recording.ports import FileStore
from cti.recording.s3_store import S3Store
from tests.fakes.s3_server import KEYS, s3_server


@pytest.fixture(scope="module")
def s3_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Place]:
    folder = tmp_path_factory.mktemp("s3")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        with s3_server(folder / "log") as place:
            yield place


@pytest.fixture(params=["folder", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "kept")
    place: S3Place = request.getfixturevalue("s3_place")
    return S3Store(replace(place, prefix=f"test/{os.urandom(6).hex()}"), spool=tmp_path / "spool")


def test_what_was_put_can_be_read_from_anywhere(files: FileStore) -> None:
    content = bytes(range(256)) * 4000
    pieces = [content[at : at + 100_000] for at in range(0, len(content), 100_000)]
    assert files.put("2026/嗨 käse/a.wav", pieces) == len(content)
    assert files.size("2026/嗨 käse/a.wav") == len(content)
    assert files.read("2026/嗨 käse/a.wav", 0, len(content)) == content
    assert files.read("2026/嗨 käse/a.wav", 700_001, 5) == content[700_001:700_006]
    assert files.read("2026/嗨 käse/a.wav", len(content) - 3, 100) == content[-3:]
    assert files.read("2026/嗨 käse/a.wav", len(content), 10) == b""
    assert files.read("2026/嗨 käse/a.wav", 5, 0) == b""


def test_put_again_replaces(files: FileStore) -> None:
    files.put("a", [b"first version"])
    files.put("a", [b"second"])
    assert (files.size("a"), files.read("a", 0, 99)) == (6, b"second")


def test_an_empty_file_is_one(files: FileStore) -> None:
    assert files.put("a", []) == 0
    assert (files.size("a"), files.read("a", 0, 9)) == (0, b"")


def test_what_is_not_there_has_no_size_and_goes_without_error(files: FileStore) -> None:
    assert files.size("none/a") is None
    files.remove("none/a")
    with pytest.raises(RecordingError):
        files.read("none/a", 0, 1)
    files.put("a", [b"x"])
    files.remove("a")
    assert files.size("a") is None


def test_a_file_that_was_not_written_to_its_end_is_not_there(files: FileStore) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 10
        raise RecordingError("the source went away")

    files.put("b", [b"before"])
    for key in ("a", "b"):
        with pytest.raises(RecordingError, match="went away"):
            files.put(key, broken())
    assert files.size("a") is None
    assert files.read("b", 0, 9) == b"before"


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "x/../../secret", ""])
def test_no_key_leads_out_of_the_place(files: FileStore, key: str) -> None:
    with pytest.raises(FileMissing):
        files.put(key, [b"x"])
    with pytest.raises(FileMissing):
        files.read(key, 0, 1)


def test_large_files_go_to_s3_in_parts_through_the_spool(s3_place: S3Place, tmp_path: Path) -> None:
    store = S3Store(replace(s3_place, prefix="large"), spool=tmp_path / "spool")
    piece = os.urandom(1 << 20)
    assert store.put("a", (piece for _ in range(20))) == 20 << 20
    assert store.read("a", (19 << 20) + 7, 50) == piece[7:57]
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bucket": "no-such-bucket"}, "NoSuchBucket"),
        ({"endpoint": "http://127.0.0.1:1"}, "connect"),
    ],
)
def test_a_store_that_says_no_is_named(s3_place: S3Place, change: dict[str, str], told: str) -> None:
    place = replace(s3_place, **change)
    with pytest.raises(RecordingError, match=f"the S3 bucket {place.bucket} at {place.endpoint}.*{told}"):
        S3Store(place).put("a", [b"x"])
