"""The command line against a running API, which lives in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cti.cli.main import cti
from tests.fakes.site import TOKENS, Site, open_site
from tests.waiting import PATIENCE_SECONDS


@dataclass
class Terminal:
    """Where commands are typed."""

    site: Site
    loop: asyncio.AbstractEventLoop
    url: str

    def type(self, *words: str, as_: str = "lead") -> Result:
        """Run a command and return what it printed and how it ended."""
        environ = {"WAIHU_URL": self.url, "WAIHU_TOKEN": TOKENS[as_]}
        return CliRunner(env=environ).invoke(cti, list(words))

    def said(self, *words: str, code: int = 0) -> str:
        """Run a command that must end with `code`; return its output."""
        result = self.type(*words)
        assert result.exit_code == code, result.output
        return result.output

    def meanwhile(self, doing: Coroutine[Any, Any, Any]) -> Any:
        """Do something within the service."""
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(PATIENCE_SECONDS)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    ready: Future[tuple[Site, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with open_site(tmp_path) as site:
            done = asyncio.Event()
            ready.set_result((site, asyncio.get_running_loop(), done))
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    site, loop, done = ready.result(PATIENCE_SECONDS)
    yield Terminal(site, loop, f"http://127.0.0.1:{site.client.port}")
    loop.call_soon_threadsafe(done.set)
    thread.join()
