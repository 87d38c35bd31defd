"""`python -m crm_sync` as it is, begun, killed and begun again."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from lab.crm.proxy import Proxy

ROOT: Final = Path(__file__).parents[3]
SYNC: Final = "a-token-of-the-process"
LOOK_SECONDS: Final = 0.02


class SyncProcess:
    """One process, behind a proxy of its own; it is killed and begun again."""

    def __init__(self, config: Path, proxy: Proxy, port: int) -> None:
        """`port`: the service's, for where its database cannot be shared."""
        self._config = config
        self._environ = {"WAIHU_URL": f"http://127.0.0.1:{port}", "WAIHU_TOKEN": SYNC}
        self._log = config.with_suffix(".log")
        self._process: asyncio.subprocess.Process | None = None
        self._begun_at = 0
        """Length of its log when it began."""
        self.proxy = proxy

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def begin(self) -> None:
        with self._log.open("ab") as log:
            self._begun_at = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "crm_sync", "--config", str(self._config)),
                cwd=ROOT,
                env={**os.environ, **self._environ},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        """Kill it where it stands."""
        if self._process is not None:
            assert self.lives, f"it ended by itself: {self.said()}"
            self._process.kill()
            await self._process.wait()
            self._process = None

    async def end(self) -> int:
        """Tell it to end once it is at work; return its status."""
        assert self._process is not None
        async with asyncio.timeout(60):
            while "writing to" not in self._log.read_text(errors="replace")[self._begun_at :]:
                await asyncio.sleep(LOOK_SECONDS)
        self._process.terminate()
        return await asyncio.wait_for(self._process.wait(), 60)

    async def clear(self) -> None:
        if self._process is not None and self.lives:
            self._process.kill()
            await self._process.wait()

    def said(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]
