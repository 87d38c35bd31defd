"""What the strict fakes of CRMs share: a server over real HTTP that refuses, throttles, and loses answers on order."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.contract.crm.rest_server import Fault

MOST_BODY = 1_000_000
"""Bytes of a request; longer ones are refused before they are read."""


class Refusal(Exception):
    """The server says no: an answer with this status and body, and nothing was done."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.body = body
        self.answer = web.json_response(body, status=status, headers=headers)


class StrictServer:
    """The frame. `before` is asked before anything is done, `after` when all is done and no answer sent yet."""

    def __init__(self) -> None:
        self.before: list[Fault] = []
        self.after: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Any] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MOST_BODY)
        app.router.add_route("*", "/{rest:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        if self.before and (said := await self.before.pop(0)(request)) is not None:
            return said
        try:
            body = await self._body(request)
            self.bodies.append(body)
            answer: web.StreamResponse = self.do(request, body)
        except Refusal as refusal:
            answer = refusal.answer
        if self.after:
            return await self.after.pop(0)(request) or answer
        return answer

    async def _body(self, request: web.Request) -> Any:
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise self.malformed("the body is too long") from None
        if not raw:
            return None
        if request.content_type != "application/json":
            raise self.malformed(f"the body is {request.content_type}, not application/json")
        try:
            return json.loads(raw)
        except ValueError:
            raise self.malformed("the body is no JSON") from None

    def malformed(self, why: str) -> Refusal:
        """Return the refusal of a request that cannot be read at all."""
        return Refusal(400, {"message": why})

    def do(self, request: web.Request, body: Any) -> web.Response:
        """Do what is asked. Raises Refusal."""
        raise NotImplementedError


class Window:
    """At most so many requests in so many seconds."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most = most
        self.seconds = seconds
        self._times: deque[float] = deque()

    def full(self) -> bool:
        """Count a request; return whether it was one too many."""
        now = asyncio.get_running_loop().time()
        while self._times and self._times[0] <= now - self.seconds:
            self._times.popleft()
        if len(self._times) >= self.most:
            return True
        self._times.append(now)
        return False
