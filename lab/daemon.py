"""The service as a process of its own beside a lab: started, asked over its API, killed, started again.

Knows `cti` only as a command and an API, as any user does.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

from lab.errors import LabError
from lab.exchange import Lab
from lab.settings import HOST

ADMIN_TOKEN: Final = "demo-admin-token-0001"
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 120.0
"""How long the service may take to end: more than its processes, one kind after the other, are given (twice
`cti.child.END_SECONDS`), and then the rest on a busy machine."""


class Refused(LabError):
    """The API answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


def settings_toml(
    lab: Lab,
    folder: Path,
    *,
    api_port: int,
    database_url: str | None = None,
    ami_port: int | None = None,
    agents: int = 0,
    calls_per_second: float = 50.0,
    max_lines: int = 1000,
    models: Path | None = None,
    more: str = "",
) -> str:
    """Return a settings file for a service attached to the lab's PBX, with a token for each agent a001, a002, ...

    `more` are further tables, as TOML.
    """
    url = database_url or f"sqlite:///{folder / 'waihu.db'}"
    tokens = [
        f'[[api.tokens]]\nname = "a{n:03d}"\ntoken = "{agent_token(n)}"\nrole = "agent"\nagent = "a{n:03d}"\n'
        for n in range(1, agents + 1)
    ]
    return f"""\
[database]
url = "{url}"

{node_toml("pbx", lab, ami_port=ami_port, calls_per_second=calls_per_second, max_lines=max_lines)}
[recording]
folder = "{folder / "recordings"}"

[imports]
folder = "{folder / "imports"}"

[dialer]
region = "DE"

{asr_toml(models)}
[api]
port = {api_port}

[[api.tokens]]
name = "admin"
token = "{ADMIN_TOKEN}"
role = "admin"

""" + "\n".join((*tokens, more))


def asr_toml(models: Path | None) -> str:
    """Return the settings' table of transcription by one worker with the models of a folder; empty without one.

    It never pauses because the machine is busy: a lab is one thing among others there.
    """
    if models is None:
        return ""
    return (
        f'[asr]\nfolder = "{models}"\nworkers = 1\npause_above_waiting = 1.0\npause_above_load = 1000.0\n\n'
    )


def node_toml(
    name: str,
    lab: Lab,
    *,
    ami_port: int | None = None,
    calls_per_second: float = 50.0,
    max_lines: int = 1000,
) -> str:
    """Return the settings' table of a lab's PBX."""
    pbx = lab.pbx
    return f"""\
[[nodes]]
name = "{name}"
host = "{HOST}"
port = {ami_port or pbx.ami_port}
user = "{pbx.user}"
secret = "{pbx.secret}"
recordings = "{pbx.recordings}"
cel = "{pbx.cel}"
trunk = "{pbx.trunk}"
max_lines = {max_lines}
calls_per_second = {calls_per_second}
"""


def agent_token(number: int) -> str:
    """Return the API token of the agent with this number."""
    return f"demo-agent-token-a{number:03d}"


class Daemon:
    """One `cti run`, its settings file, and a client of its API."""

    def __init__(self, config: Path, *, api_port: int, log: Path) -> None:
        self.config = config
        self.url = f"http://{HOST}:{api_port}"
        self.log = log
        self.process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int:
        """Process id; raises LabError when it does not run."""
        if self.process is None:
            raise LabError("the service does not run")
        return self.process.pid

    async def start(self, *, well: bool = True) -> None:
        """Start it and wait until its API answers that all is well, or, with `well=False`, answers at all.

        Raises LabError with the end of its log.
        """
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cti",
                "run",
                "--config",
                str(self.config),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.returncode is not None:
                raise LabError(f"the service ended with {self.process.returncode}:\n{self.log_end()}")
            with suppress(aiohttp.ClientError):
                health = await self.health()
                if health["status"] == "ok" or not well:
                    return
            await asyncio.sleep(0.05)
        raise LabError(f"the service did not answer within {START_SECONDS:g} s:\n{self.log_end()}")

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it as an operator would (SIGTERM)."""
        await self._end(signal.SIGTERM)

    async def close(self) -> None:
        """Stop it when it runs, and the client."""
        if self.process is not None:
            await self.stop()
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, **query: str) -> Any:
        """GET /api/v1/path as admin."""
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: object = None, **query: str) -> Any:
        """POST JSON."""
        return await self._ask("POST", path, json={} if body is None else body, params=query)

    async def put(self, path: str, body: object) -> Any:
        """PUT JSON."""
        return await self._ask("PUT", path, json=body)

    async def health(self) -> dict[str, Any]:
        """Return how it says it is, well or not."""
        try:
            answer: dict[str, Any] = await self.get("health")
        except Refused as refused:
            if refused.status != 503:
                raise
            answer = json.loads(refused.message)
        return answer

    async def upload(self, campaign: str, name: str, text: bytes) -> Any:
        """Import a CSV list."""
        query = {"name": name, "source": f"{name}.csv"}
        return await self._ask("POST", f"campaigns/{campaign}/lists", data=text, params=query)

    async def calls(self, **query: str) -> list[dict[str, Any]]:
        """List all calls that match, newest first."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get("calls", limit="1000", **query, **cursor)
            found += page["calls"]
            if not page.get("next"):
                return found
            cursor = {"cursor": page["next"]}

    @asynccontextmanager
    async def events(self, types: str = "") -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Give the live events, from now on."""
        query = {"types": types} if types else {}
        async with self._client().ws_connect(
            f"{self.url}/api/v1/events", params=query, headers=_bearer()
        ) as socket:
            yield _events(socket)

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has used, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_end(self, lines: int = 30) -> str:
        """Return the last lines it said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    async def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        with suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise LabError(f"the service had to be killed:\n{self.log_end()}") from None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        return self._session

    async def _ask(self, method: str, path: str, **given: Any) -> Any:
        url = f"{self.url}/api/v1/{path}"
        async with self._client().request(method, url, headers=_bearer(), **given) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise Refused(answer.status, text)
            return json.loads(text) if text else None


@asynccontextmanager
async def daemon_beside(
    lab: Lab, folder: Path, *, agents: int = 0, start: bool = True, **given: Any
) -> AsyncIterator[Daemon]:
    """Run a service attached to the lab for as long as the block lasts; `given`: see `settings_toml`."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    port = lab.settings.spare_port
    config = folder / "cti.toml"
    config.write_text(settings_toml(lab, folder, api_port=port, agents=agents, **given), encoding="utf-8")
    daemon = Daemon(config, api_port=port, log=folder / "cti.log")
    try:
        if start:
            await daemon.start()
        yield daemon
    finally:
        await daemon.close()


def _bearer() -> Mapping[str, str]:
    return {"Authorization": f"Bearer {ADMIN_TOKEN}"}


async def _events(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[dict[str, Any]]:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            yield json.loads(message.data)
