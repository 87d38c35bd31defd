"""Starts a real Redis for tests, from the program that the system has, and ends it with the block.

It listens on a free port of 127.0.0.1 and keeps nothing: stopped and started again it has lost everything, which is the
worst that can happen to what is only a wire.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.ports import free_port
from tests.waiting import until_in_a_thread

OTHER_NAME = Path("/usr/bin/redis-check-rdb")
"""Debian's `redis-tools` holds the whole program under this name; which one it is, it tells by its argument 0. That
package, unlike `redis-server`, starts no service on the machine."""


class RedisServer:
    """A server that can be stopped and started again, empty, on the same port."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start and wait until it takes connections."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        process = self._process = subprocess.Popen(
            ["redis-server", *options],
            executable=self._program,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until_in_a_thread(lambda: process.poll() is not None or self._answers())
        if process.poll() is not None:
            raise RuntimeError("Redis did not start")

    def _answers(self) -> bool:
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End it; what it held is lost."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Start a server of our own and end it with the block. Raises LookupError when the program is not there."""
    server = RedisServer(find_program())
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """Give a Redis of the test's own. Skips when there is none, but fails with CI=true."""
    try:
        find_program()
    except LookupError as error:
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with running_redis() as server:
        yield server


def find_program() -> Path:
    """Return Redis's program. Raises LookupError."""
    found = shutil.which("redis-server")
    if found:
        return Path(found)
    if OTHER_NAME.exists():
        return OTHER_NAME
    raise LookupError("Redis is not installed here: the tests on it did NOT run; scripts/lab-tools gets it")
