"""Starts a real PostgreSQL from the programs that the system has. Ends it with the block.

It lives in a temporary folder, listens on a free port of 127.0.0.1, and never syncs: its data is worth nothing. The
server refuses to run as root; then it runs as the system's `postgres`, or as `nobody`.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.ports import free_port

_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60"}
_START_SECONDS = 120.0


class PostgresServer:
    """A server that can be stopped and started again with its data."""

    def __init__(self, *, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._cluster = self.cluster = folder / "cluster"
        self._log = folder / "log"
        self._user = _unprivileged_user()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def url(self, name: str = "postgres") -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://waihu@127.0.0.1:{self.port}/{name}"

    def make(self) -> None:
        """Make the cluster of databases."""
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        options = ["--username=waihu", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command: list[str | Path] = [self._programs / "initdb", f"--pgdata={self._cluster}", *options]
        with self._log.open("ab") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, **self._as_user())

    def take(self, cluster: Path) -> None:
        """Take a copy of a cluster that was made before, whose server has ended."""
        shutil.copytree(cluster, self._cluster)
        if self._user is not None:
            for path in (self._folder, self._cluster, *self._cluster.rglob("*")):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def start(self) -> None:
        """Start and wait until it takes connections."""
        settings = _FAST | {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command: list[str | Path] = [self._programs / "postgres", "-D", self._cluster, *options]
        with self._log.open("ab") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                command, stdout=log, stderr=log, **self._as_user()
            )
        self._process = process
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Break all connections and end; the data stays."""
        if self._process is None:
            return
        self._process.send_signal(2)  # SIGINT is PostgreSQL's "fast shutdown"
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def make_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        self.do(f"CREATE DATABASE {name}")
        return self.url(name)

    def do(self, *statements: str, database: str = "postgres") -> None:
        """Carry out SQL statements."""
        place = ["--host=127.0.0.1", f"--port={self.port}", "--username=waihu", "--no-psqlrc", "--quiet"]
        commands = [f"--command={statement}" for statement in statements]
        subprocess.run([self._programs / "psql", *place, *commands, database], check=True)

    def _is_ready(self) -> bool:
        place = ["--host=127.0.0.1", f"--port={self.port}", "--quiet", "--username=waihu"]
        return subprocess.run([self._programs / "pg_isready", *place], check=False).returncode == 0

    def _as_user(self) -> dict[str, Any]:
        if self._user is None:
            return {"cwd": self._folder}
        return {
            "cwd": self._folder,
            "user": self._user.pw_uid,
            "group": self._user.pw_gid,
            "extra_groups": [],
        }


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server of our own and end it with the block. Raises LookupError when the programs are not there."""
    programs = find_programs()
    # not below pytest's folder, which nobody but root may enter when root runs the tests
    folder = Path(tempfile.mkdtemp(prefix="waihu-postgres-"))
    server = PostgresServer(programs=programs, folder=folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """Return the folder of PostgreSQL's programs, of the newest version there is. Raises LookupError."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: _version(path.parent.parent.name),
        reverse=True,
    )
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve())
    config = shutil.which("pg_config")
    if config:
        told = subprocess.run([config, "--bindir"], check=True, capture_output=True, text=True).stdout.strip()
        found.append(Path(told) / "initdb")
    for initdb in found:
        if initdb.exists() and (initdb.parent / "postgres").exists():
            return initdb.parent
    raise LookupError(
        "PostgreSQL is not installed here (no initdb): the tests on it did NOT run; scripts/lab-tools gets it"
    )


def _version(name: str) -> float:
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


def _unprivileged_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("there is neither a user `postgres` nor `nobody` to run PostgreSQL as")
