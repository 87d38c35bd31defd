"""Workers against an API that breaks off, refuses, or is not there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cti.asr.api_feed import ApiFeed, Refused, Unreachable, api_feed
from cti.errors import BadInput, GiveUp

SOUND = bytes(range(256)) * 4000
CALL = "0" * 32

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def against(path: str, handler: Handler, *, method: str = "GET") -> AsyncIterator[ApiFeed]:
    app = web.Application()
    app.router.add_route(method, f"/api/v1/{path}", handler)
    async with (
        TestServer(app) as server,
        api_feed(str(server.make_url("/")), "token", worker="w1") as feed,
    ):
        yield feed


def recording(handler: Handler) -> AbstractAsyncContextManager[ApiFeed]:
    return against(f"calls/{CALL}/recording", handler)


async def fetched(feed: ApiFeed) -> bytes:
    async with feed.fetched(CALL) as path:
        return path.read_bytes()


async def test_a_download_that_breaks_off_goes_on_where_it_ended() -> None:
    asked: list[str | None] = []

    async def breaking(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers.get("Range"))
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        answer = web.StreamResponse(status=206 if start else 200, headers={"ETag": '"x"'})
        answer.content_length = len(SOUND) - start
        await answer.prepare(request)
        await answer.write(SOUND[start : start + 400_000])
        if start + 400_000 < len(SOUND):
            assert request.transport is not None
            request.transport.close()
        return answer

    async with recording(breaking) as feed:
        assert await fetched(feed) == SOUND
    assert asked[0] is None
    assert len(asked) >= 3
    assert all(range_ is not None for range_ in asked[1:])


async def test_a_server_that_knows_no_ranges_begins_anew_and_the_file_is_right() -> None:
    asked = 0

    async def stubborn(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        answer = web.StreamResponse()
        answer.content_length = len(SOUND)
        await answer.prepare(request)
        await answer.write(SOUND[: 500_000 * asked])
        if 500_000 * asked < len(SOUND):
            assert request.transport is not None
            request.transport.close()
        return answer

    async with recording(stubborn) as feed:
        assert await fetched(feed) == SOUND
    assert asked == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, GiveUp), (410, GiveUp), (403, Refused), (422, BadInput), (500, Unreachable), (503, Unreachable)],
)
async def test_what_the_service_answers_becomes_the_right_error(status: int, error: type[Exception]) -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"kind": "x", "message": "because"}}, status=status)

    async with recording(answering) as feed:
        with pytest.raises(error, match="because"):
            await fetched(feed)


async def test_a_recording_without_a_byte_is_an_empty_file() -> None:
    async def empty(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"")

    async with recording(empty) as feed:
        assert await fetched(feed) == b""


async def test_a_service_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    async with api_feed("http://127.0.0.1:1", "token", worker="w1") as feed:
        with pytest.raises(Unreachable, match="cannot be reached"):
            await feed.take(1)


async def test_another_program_at_the_address_is_told() -> None:
    async def other(request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="<html>")

    async with against("other", other) as feed:
        with pytest.raises(Refused, match="is this the service"):
            await feed.take(1)
