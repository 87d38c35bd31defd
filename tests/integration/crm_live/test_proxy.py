"""The proxy loses what it is told to lose, after the work was done, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lab.crm.proxy import Proxy, lossy_proxy


class Behind:
    """A server that remembers what it did."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, str]] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.done.append((request.method, request.path_qs, await request.text()))
        if request.path == "/breaks":
            assert request.transport is not None
            request.transport.abort()
        headers = {"Location": "/elsewhere", "X-Key": request.headers.get("Authorization", "")}
        return web.Response(status=302 if request.path == "/moved" else 201, text="done", headers=headers)


@asynccontextmanager
async def a_proxy() -> AsyncIterator[tuple[Behind, TestServer, Proxy, aiohttp.ClientSession]]:
    behind, app = Behind(), web.Application()
    app.router.add_route("*", "/{path:.*}", behind.serve)
    async with (
        TestServer(app) as server,
        lossy_proxy(str(server.make_url("/"))) as proxy,
        aiohttp.ClientSession() as session,
    ):
        yield behind, server, proxy, session


async def test_it_hands_on_what_is_asked_and_answered() -> None:
    async with a_proxy() as (behind, _, proxy, session):
        headers = {"Authorization": "Bearer k"}
        async with session.post(f"{proxy.url}/a%2Fb?x=1%202", data="body", headers=headers) as answer:
            assert (answer.status, await answer.text(), answer.headers["X-Key"]) == (201, "done", "Bearer k")
        async with session.get(f"{proxy.url}/moved", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")
    assert behind.done == [("POST", "/a%2Fb?x=1%202", "body"), ("GET", "/moved", "")]
    assert (proxy.requests, proxy.writes, proxy.losses.lost, proxy.under_way) == (2, 1, 0, 0)


async def test_of_every_third_write_the_answer_is_lost_and_the_work_is_done() -> None:
    async with a_proxy() as (behind, _, proxy, session):
        proxy.losses.every = 3
        lost = []
        for number in range(1, 10):
            async with session.get(f"{proxy.url}/read"):
                pass
            try:
                async with session.patch(f"{proxy.url}/{number}"):
                    pass
            except aiohttp.ClientError:
                lost.append(number)
    assert lost == [3, 6, 9]
    assert [path for method, path, _ in behind.done if method == "PATCH"] == [f"/{n}" for n in range(1, 10)]
    assert proxy.losses.lost == 3


async def test_where_nobody_listens_it_says_so_and_where_an_answer_breaks_off_so_does_its() -> None:
    async with a_proxy() as (_, server, proxy, session):
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{proxy.url}/breaks")
        await server.close()
        async with session.post(f"{proxy.url}/a") as answer:
            assert answer.status == 503
        await proxy.shut()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{proxy.url}/a")
        await proxy.open()
        async with session.get(f"{proxy.url}/a") as answer:
            assert answer.status == 503
