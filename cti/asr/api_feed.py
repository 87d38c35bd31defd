"""`Feed` and `Sounds` over the service's API: what a worker uses that has neither its database nor its files."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import aiohttp

from cti.asr.orders import work_of, work_record
from cti.asr.wire import transcript_record
from cti.errors import BadInput, CtiError, GiveUp
from cti.model.transcripts import Transcript
from cti.model.work import Work

PREFIX: Final = "/api/v1"
ANSWER_SECONDS: Final = 60.0
PIECE_BYTES: Final = 1 << 18
RESUMES: Final = 5
"""How often a download that breaks off goes on where it ended."""


class Unreachable(CtiError):
    """The service cannot be reached, or says that it cannot answer now."""


class Refused(CtiError):
    """The service refused; again will not help."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ApiFeed:
    """Asks the service. Its methods raise Unreachable, Refused, BadInput."""

    def __init__(self, session: aiohttp.ClientSession, url: str, *, worker: str) -> None:
        """`session` carries the token. `worker` names this process in the service's log."""
        self._session = session
        self._url = url.rstrip("/")
        self._worker = worker

    async def take(self, limit: int) -> list[Work]:
        """See the port."""
        said = await self._post("take", {"limit": limit, "worker": self._worker})
        return [work_of(record) for record in said["works"]]

    async def keep(self, works: Sequence[Work]) -> set[int]:
        """See the port."""
        said = await self._post("keep", {"works": [work_record(work) for work in works]})
        return set(said["lost"])

    async def begin(self, work: Work, fingerprint: str) -> bool:
        """See the port."""
        said = await self._post("begin", {"work": work_record(work), "fingerprint": fingerprint})
        return bool(said["go"])

    async def done(self, work: Work, transcript: Transcript) -> int | None:
        """See the port."""
        body = {"work": work_record(work), "transcript": transcript_record(transcript)}
        version: int | None = (await self._post("done", body))["version"]
        return version

    async def failed(self, work: Work, error: str, *, for_good: bool) -> None:
        """See the port."""
        await self._post("failed", {"work": work_record(work), "error": error[:2000], "for_good": for_good})

    async def give_back(self, work: Work) -> None:
        """See the port."""
        await self._post("give-back", {"work": work_record(work)})

    async def live_calls(self) -> int | None:
        """See the port."""
        calls: int | None = (await self._post("pressure", {}))["live_calls"]
        return calls

    @asynccontextmanager
    async def fetched(self, call_id: str) -> AsyncIterator[Path]:
        """See the port `Sounds`. A download that breaks off goes on with a range."""
        with tempfile.TemporaryDirectory(prefix="waihu-sound-") as folder:
            path = Path(folder) / "sound"
            await self._download(call_id, path)
            yield path

    async def _download(self, call_id: str, path: Path) -> None:
        whole: str | None = None
        for broken in range(RESUMES + 1):
            there = _bytes_of(path)
            try:
                whole = await self._piece(call_id, path, there, whole)
                return
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if isinstance(error, OSError) and not isinstance(error, aiohttp.ClientError | TimeoutError):
                    raise CtiError(f"the sound of call {call_id} cannot be kept here: {error}") from error
                if broken == RESUMES:
                    raise Unreachable(
                        f"the sound of call {call_id} broke off: {error or 'no answer'}"
                    ) from None
                await asyncio.sleep(0.2 * 2**broken)

    async def _piece(self, call_id: str, path: Path, there: int, whole: str | None) -> str | None:
        """Append what is missing; return the file's tag."""
        headers = {"Accept-Encoding": "identity"}
        if there:
            headers |= {"Range": f"bytes={there}-"} | ({"If-Range": whole} if whole else {})
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=ANSWER_SECONDS)
        url = f"{self._url}{PREFIX}/calls/{call_id}/recording"
        async with self._session.get(url, headers=headers, timeout=timeout) as answer:
            if answer.status == 416 and there:
                return whole  # all of it was there already
            if answer.status in (404, 410):
                raise GiveUp(await _reason(answer))
            await _raise_for(answer)
            with _opened(path, append=answer.status == 206) as file:
                async for piece in answer.content.iter_chunked(PIECE_BYTES):
                    file.write(piece)
            return answer.headers.get("ETag")

    async def _post(self, name: str, body: Mapping[str, Any]) -> Any:
        url = f"{self._url}{PREFIX}/transcription/work/{name}"
        try:
            async with self._session.post(url, json=body) as answer:
                await _raise_for(answer)
                return await answer.json()
        except TimeoutError:
            raise Unreachable(f"{self._url} gave no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self._url} cannot be reached: {error}") from None


@asynccontextmanager
async def api_feed(url: str, token: str, *, worker: str) -> AsyncIterator[ApiFeed]:
    """Open a session with the service."""
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield ApiFeed(session, url, worker=worker)


def _opened(path: Path, *, append: bool) -> BinaryIO:
    return path.open("ab" if append else "wb")


def _bytes_of(path: Path) -> int:
    """A local file's size; it answers at once."""
    return path.stat().st_size if path.exists() else 0


async def _raise_for(answer: aiohttp.ClientResponse) -> None:
    if answer.status < 400:
        return
    reason = await _reason(answer)
    if answer.status in (400, 413, 422):
        raise BadInput(reason)
    if answer.status >= 500:
        raise Unreachable(reason)
    raise Refused(answer.status, reason)


async def _reason(answer: aiohttp.ClientResponse) -> str:
    try:
        message = (await answer.json())["error"]["message"]
    except (ValueError, KeyError, TypeError, aiohttp.ClientError):
        return f"answered with status {answer.status}; is this the service?"
    return str(message)
