"""A real BottleCRM on loopback: its own package in its own Python, SQLite, one process. Started, stopped, looked into.

    async with bottle_crm(folder) as crm:
        lead = await crm.add_lead("Li", "Wei", phone="+4930901820")
        await crm.stop()
        await crm.start()

It is spoken to over HTTP. To see what stands there past our adapter, its database is read.
"""

import asyncio
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp

from lab.errors import LabError, NodeFailed, NotPrepared
from lab.installation import cache_folder
from lab.node import die_with_parent
from lab.ports import free_port

HOST: Final = "127.0.0.1"
ROOT: Final = Path(__file__).parents[2]
NOT_TO_BE_HAD: Final = 3
"""Exit status of the script that prepares it: not broken, but not to be had on this machine."""
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 0.1
AT_ONCE: Final = 4
"""Requests of ours at one time while records are made."""


def prepared() -> Path:
    """Return where it is installed; installs it when it is missing. Raises NotPrepared: it cannot be had here."""
    done = subprocess.run(
        [ROOT / "scripts" / "crm-tools-bottle"], capture_output=True, text=True, check=False
    )
    if done.returncode == NOT_TO_BE_HAD:
        raise NotPrepared(done.stderr.strip())
    if done.returncode:
        raise LabError(f"scripts/crm-tools-bottle: {done.stderr.strip()[-2000:]}")
    return cache_folder() / "bottle-1"


class BottleCrm:
    """One server with a database of its own."""

    def __init__(self, installed: Path, folder: Path) -> None:
        self._python = installed / "venv" / "bin" / "python"
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.token, self.person = (installed / "tokens").read_text().split()
        """Keys: of the account that the service writes as, and of a person who may do everything."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def database(self) -> Path:
        return self._folder / "bottle.sqlite3"

    async def start(self) -> None:
        """Start it and wait until it answers. Raises NodeFailed."""
        self._process = process = self._begun()
        await self._until_up(process)

    async def stop(self) -> None:
        """Stop it as a power cut would: requests under way get no answer."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
            self._process = None

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask as the person. Raises LabError for anything but a success."""
        headers = {"Authorization": f"Bearer {self.person}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.url + path, json=body) as answer,
        ):
            if answer.status >= 300:
                raise LabError(f"BottleCRM: {method} {path}: {answer.status} {await answer.text()}")
            return await answer.json() if answer.status != 204 else None

    async def add_lead(self, first: str, last: str, **more: Any) -> str:
        """Make a lead; return its id. `more`: its fields, as the API names them."""
        body = {"title": f"{first} {last}".strip(), "first_name": first, "status": "assigned"}
        named = {"last_name": last} if last else {}  # it refuses an empty one
        return str((await self.ask("POST", "/api/leads/", body | named | more))["id"])

    async def add_leads(self, count: int) -> list[str]:
        """Make so many leads; return their ids."""
        room = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> str:
            async with room:
                return await self.add_lead("Lead", str(number), phone=f"+4930{9018200 + number}")

        return list(await asyncio.gather(*(one(number) for number in range(count))))

    async def add_contact(self, first: str, last: str, **more: Any) -> str:
        """Make a contact; return its id."""
        body = {"first_name": first, "last_name": last}
        return str((await self.ask("POST", "/api/contacts/", body | more))["id"])

    async def interactions(self) -> Sequence[Mapping[str, Any]]:
        """Return all rows of its table of interactions: ids as 32 hex digits, times as its database keeps them."""
        return await self.rows("SELECT * FROM interaction ORDER BY created_at, id")

    async def rows(self, question: str, *values: Any) -> Sequence[Mapping[str, Any]]:
        """Read its database."""

        def read() -> list[dict[str, Any]]:
            connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)
            try:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(question, values)]
            finally:
                connection.close()

        return await asyncio.to_thread(read)

    def _begun(self) -> subprocess.Popen[bytes]:
        """Begin it; bound to no event loop, so that tests with one each can share it.

        Never in a thread: it dies with the thread that began it.
        """
        with (self._folder / "uvicorn.log").open("ab") as log:
            return subprocess.Popen(
                [
                    *(self._python, "-m", "uvicorn", "crm.asgi:application"),
                    *("--host", HOST, "--port", str(self._port), "--log-level", "warning"),
                ],
                cwd=self._folder,  # it writes logs where it stands
                env={
                    **os.environ,
                    "BOTTLE_FOLDER": str(self._folder),
                    "DJANGO_SETTINGS_MODULE": "bottle_settings",
                    "PYTHONPATH": str(Path(__file__).parent),
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    async def change(self, statement: str, *values: Any) -> None:
        """Change its database behind its back."""

        def write() -> None:
            connection = sqlite3.connect(self.database, timeout=30)
            try:
                with connection:
                    connection.execute(statement, values)
            finally:
                connection.close()

        await asyncio.to_thread(write)

    async def token_with(self, *scopes: str) -> str:
        """Return another key of the service's account, with these scopes alone."""
        token = "bcrm_pat_" + secrets.token_urlsafe(24)
        digest = hashlib.sha256(token.encode()).hexdigest()
        ours = hashlib.sha256(self.token.encode()).hexdigest()
        taken = "created_at, updated_at, created_by_id, updated_by_id, org_id, profile_id, name, token_prefix"
        await self.change(
            f"INSERT INTO personal_access_token (id, token_hash, scopes, {taken}) "  # noqa: S608 (column names)
            f"SELECT ?, ?, ?, {taken} FROM personal_access_token WHERE token_hash = ?",
            *(uuid4().hex, digest, json.dumps(scopes), ours),
        )
        return token

    async def _until_up(self, process: subprocess.Popen[bytes]) -> None:
        async with aiohttp.ClientSession() as session:
            try:
                async with asyncio.timeout(START_SECONDS):
                    while not await self._answers(session):
                        if process.poll() is not None:
                            raise NodeFailed(f"BottleCRM ended: {self._log()}")
                        await asyncio.sleep(LOOK_SECONDS)
            except TimeoutError:
                raise NodeFailed(
                    f"BottleCRM does not answer after {START_SECONDS:g} s: {self._log()}"
                ) from None

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/healthz/") as answer:
                return answer.status < 500
        except aiohttp.ClientError:
            return False

    def _log(self) -> str:
        return (self._folder / "uvicorn.log").read_text(errors="replace")[-2000:]


@asynccontextmanager
async def bottle_crm(folder: Path) -> AsyncIterator[BottleCrm]:
    """Run one with an empty database in this folder. Raises NotPrepared, NodeFailed."""
    installed = await asyncio.to_thread(prepared)
    await asyncio.to_thread(_make_folder, installed, folder)
    crm = BottleCrm(installed, folder)
    try:
        await crm.start()
        yield crm
    finally:
        await crm.stop()


def _make_folder(installed: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(installed / "bottle.sqlite3", folder / "bottle.sqlite3")
