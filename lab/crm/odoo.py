"""A real Odoo 19 on loopback, with a PostgreSQL of its own. Ends with its block, and leaves nothing behind.

It serves two databases, `phonecall` and `plain`: see odoo_template. It may be stopped and started again with its data.
"""

import asyncio
import http.client
import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

from lab.crm.odoo_template import PHONECALL, PLAIN, command, prepare, run_odoo, template, write_settings
from lab.errors import LabError, NodeFailed
from lab.node import die_with_parent
from lab.ports import free_port
from lab.postgres import PostgresServer, find_programs

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.1
_JSON: Final = {"Content-Type": "application/json"}
_LIVE_KEYS: Final = (
    "UPDATE res_users_apikeys SET expiration_date = now() AT TIME ZONE 'utc' + interval '60 days'"
)
_GIVE_KEY: Final = """
from datetime import datetime, timedelta
user = env['res.users'].search([('login', '=', {login!r})])
until = datetime.now() + timedelta(days={days})
key = env['res.users.apikeys'].with_user(user).sudo()._generate('rpc', 'short', until)
env.cr.commit()
print('KEY=' + key)
"""


class OdooRefused(LabError):
    """Odoo refused a request of the lab."""


class Odoo:
    """The server. Its methods may be used from any event loop."""

    def __init__(self, *, folder: Path, postgres: PostgresServer, keys: dict[str, str]) -> None:
        self._folder = folder
        self.postgres = postgres
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline = 0.0
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.bot_key = keys["bot"]
        """Key of a salesman who sees all leads: what the product is given."""
        self.admin_key = keys["admin"]
        """For tests, to look and to act as a person would."""

    async def start(self) -> None:
        """Start it and wait until it serves both databases. Raises NodeFailed with the end of its log."""
        self._begin()
        try:
            while not await asyncio.to_thread(self._serves):
                await asyncio.sleep(_LOOK_SECONDS)
        except BaseException:
            self.stop()
            raise

    def start_now(self) -> None:
        """Do the same and let nothing else run meanwhile."""
        self._begin()
        try:
            while not self._serves():
                time.sleep(_LOOK_SECONDS)
        except BaseException:
            self.stop()
            raise

    def _begin(self) -> None:
        self._deadline = time.monotonic() + START_SECONDS
        settings = write_settings(
            self._folder,
            database_port=self.postgres.port,
            http_port=self.port,
            databases=[PHONECALL, PLAIN],
        )
        line, environment = command("--config", str(settings), settings=settings)
        with self._log.open("ab") as log:
            # never in a thread: it dies with the thread that began it
            self._process = subprocess.Popen(
                line,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def stop(self) -> None:
        """End it, as a person would who stops the service; connections break off."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    async def ask(self, database: str, model: str, method: str, *, key: str = "", **arguments: Any) -> Any:
        """Call a method by JSON-2, as the administrator unless another key is given. Raises OdooRefused."""
        headers = {"Authorization": f"bearer {key or self.admin_key}", "X-Odoo-Database": database}
        url = f"{self.url}/json/2/{model}/{method}"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(url, json=arguments) as answer,
        ):
            body = await answer.text()
            if answer.status != 200:
                raise OdooRefused(f"{model}.{method}: {answer.status} {body[:1000]}")
            return json.loads(body)

    def give_key(self, database: str, login: str, *, days: int) -> str:
        """Give a user an API key that lasts so long, as he would make it in his preferences; return it."""
        words = ["shell", "--no-http", "-d", database]
        script = _GIVE_KEY.format(login=login, days=days)
        return run_odoo(*words, settings=self._folder / "odoo.conf", given=script).split("KEY=")[1].split()[0]

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _serves(self) -> bool:
        """Whether both databases answer; the first request loads a database's modules. Raises NodeFailed."""
        if self._process is None or self._process.poll() is not None:
            raise NodeFailed(f"Odoo ended while it started:\n{self._last_words()}")
        if time.monotonic() > self._deadline:
            raise NodeFailed(f"Odoo does not serve after {START_SECONDS:g} s:\n{self._last_words()}")
        return all(self._answers(database) for database in (PHONECALL, PLAIN))

    def _answers(self, database: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        headers = {"Authorization": f"bearer {self.admin_key}", "X-Odoo-Database": database}
        try:
            connection.request("POST", "/json/2/res.users/context_get", body="{}", headers=headers | _JSON)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-25:])


@contextmanager
def running_odoo() -> Iterator[Odoo]:
    """Start one, ended with the block. Raises NotPrepared when what it needs cannot be had, LabError."""
    with _prepared() as odoo:
        odoo.start_now()
        yield odoo


@asynccontextmanager
async def open_odoo() -> AsyncIterator[Odoo]:
    """Do the same for those who have a loop that is to run meanwhile."""
    with _prepared() as odoo:
        await odoo.start()
        yield odoo


@contextmanager
def _prepared() -> Iterator[Odoo]:
    prepare()
    source = template()
    folder = Path(tempfile.mkdtemp(prefix="waihu-odoo-"))
    database_folder = Path(tempfile.mkdtemp(prefix="waihu-odoo-postgres-"))
    postgres = PostgresServer(programs=find_programs(), folder=database_folder)
    odoo = Odoo(folder=folder, postgres=postgres, keys=json.loads((source / "keys.json").read_text()))
    try:
        postgres.take(source / "cluster")
        shutil.copytree(source / "filestore", folder / "data" / "filestore")
        postgres.start()
        for database in (PHONECALL, PLAIN):
            postgres.do(_LIVE_KEYS, database=database)
        yield odoo
    finally:
        odoo.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(database_folder, ignore_errors=True)


async def _main() -> None:
    async with open_odoo() as odoo:
        print(f"{odoo.url}  bot key {odoo.bot_key}  administrator's key {odoo.admin_key}")
        print(f"databases {PHONECALL}, {PLAIN}; login admin, password admin; end it with Ctrl+C")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
