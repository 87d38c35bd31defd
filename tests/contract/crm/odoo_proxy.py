"""What stands before a real Odoo in tests: passes requests on, and loses answers or refuses when it is told to."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer


class Proxy:
    """Passes on; `fault` holds for the next request, `lose_answer` for the next that writes."""

    def __init__(self, url: str, session: ClientSession) -> None:
        self._url = url
        self._session = session
        self.fault = ""
        self.asked: list[str] = []
        """Methods that were asked for, `model.method`."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in ("Authorization", "Content-Type", "X-Odoo-Database")
        }
        method = _method(request.path, body)
        self.asked.append(method)
        if self.fault == "throttle":
            self.fault = ""
            return web.Response(status=429, headers={"Retry-After": "17"})
        if self.fault == "refuse_key":
            self.fault = ""
            body = _with_wrong_key(headers, body)
        try:
            async with self._session.request(
                request.method, self._url + request.path_qs, data=body, headers=headers
            ) as answer:
                text, status, kind = await answer.read(), answer.status, answer.content_type
        except ClientError:
            return web.Response(status=502)  # as a proxy says it
        if self.fault == "lose_answer" and method.endswith(".load"):
            self.fault = ""
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=status, body=text, content_type=kind)


@asynccontextmanager
async def proxy(url: str) -> AsyncIterator[tuple[Proxy, TestServer]]:
    """Serve one."""
    async with ClientSession() as session:
        standing = Proxy(url, session)
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{rest:.*}", standing.serve)
        async with TestServer(app) as http:
            yield standing, http


def _method(path: str, body: bytes) -> str:
    if path.startswith("/json/2/"):
        return ".".join(path.split("/")[3:5])
    words = _words(body)
    return f"{words[3]}.{words[4]}" if len(words) > 4 else path


def _words(body: bytes) -> list[Any]:
    return list(json.loads(body)["params"]["args"]) if body else []


def _with_wrong_key(headers: dict[str, str], body: bytes) -> bytes:
    if "Authorization" in headers:
        headers["Authorization"] = "bearer 0000"
        return body
    tree = json.loads(body)
    if len(tree["params"]["args"]) > 2:
        tree["params"]["args"][2] = "0000"
    return json.dumps(tree).encode()
