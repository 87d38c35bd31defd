"""Checks of folders."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cti.node.machine import api_address, node_folder, writable_folder


def test_a_node_s_folder_that_is_right_has_no_finding(tmp_path: Path) -> None:
    assert node_folder("pbx", "recordings", tmp_path, "recordings", emptied=True) is None


@pytest.mark.parametrize("name", [None, "none"])
def test_a_folder_that_is_not_set_or_not_there_names_the_setting(tmp_path: Path, name: str | None) -> None:
    found = node_folder("pbx", "CEL folder", tmp_path / name if name else None, "cel", emptied=False)
    assert found
    assert found.ok is False
    assert "set `cel`" in found.mend


def test_a_folder_that_may_not_be_emptied_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may do everything, so the answer of the system is put in its place.
    monkeypatch.setattr("cti.node.machine.os.access", lambda _, mode: not mode & os.W_OK)
    assert node_folder("pbx", "CEL folder", tmp_path, "cel", emptied=False) is None
    found = node_folder("pbx", "recordings", tmp_path, "recordings", emptied=True)
    assert found
    assert "take files out of" in found.message


def test_keeping_a_file_for_a_moment_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "recordings"
    assert writable_folder(folder).ok is True
    assert list(folder.iterdir()) == []


def test_a_nearly_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cti.node.machine._LEAST_FREE_BYTES", 1 << 62)
    found = writable_folder(tmp_path)
    assert (found.ok, "110 MB" in found.mend) == (False, True)


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    """Something on a port of this machine that gives one answer to whoever asks."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            asker, _ = server.accept()
            with asker:
                asker.recv(4096)
                asker.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_an_address_where_this_service_runs_already_is_right() -> None:
    with answering(b'{"status": "degraded", "version": "0.1.0"}') as port:
        found = api_address("127.0.0.1", port)
    assert (found.ok, found.message) == (True, "this service runs there, version 0.1.0")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"version": 1}', b"7"])
def test_an_address_where_something_else_listens_is_taken(body: bytes) -> None:
    with answering(body) as port:
        found = api_address("127.0.0.1", port)
    assert found.ok is False
    assert "api.port" in found.mend
