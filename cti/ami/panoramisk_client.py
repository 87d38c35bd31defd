"""An `AmiClient` over panoramisk: keeps one node connected for ever, and says why it is not.

Each connection is a new one (`panoramisk_connection`), so that nothing of a lost one can come again.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from cti.ami.actions import Action, checked
from cti.ami.inbox import Inbox
from cti.ami.message import Message
from cti.ami.panoramisk_connection import AmiAccount, Connection, Order
from cti.ami.ports import Connected, Happening, Lost
from cti.errors import NodeDown, NodeError, NodeRefused, NodeSilent
from cti.service import Service, running

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what, in seconds."""

    connect: float = 5.0
    answer: float = 10.0
    """For an action's answer."""
    boot: float = 120.0
    """For an Asterisk that is still starting."""
    ping_every: float = 5.0
    pong: float = 5.0
    """For the answer to a ping; then the connection is taken for dead."""
    retry_first: float = 0.2
    retry_longest: float = 3.0
    """Between tries to connect."""
    retry_refused: float = 30.0
    """Between tries with a password that was refused: Asterisk logs each, and may ban the address."""


class PanoramiskClient:
    """One node's connection. A service: `run` connects and connects again; see `AmiClient` for the rest."""

    def __init__(
        self, account: AmiAccount, *, patience: Patience | None = None, inbox_size: int = 20_000
    ) -> None:
        checked({"Username": account.user, "Secret": account.secret})
        self._account = account
        self._patience = patience or Patience()
        self._inbox = Inbox(account.node, inbox_size)
        self._link: Connection | None = None
        self._booted = asyncio.Event()
        self._tried = asyncio.Event()
        self.problem: NodeError | None = NodeDown(f"node {account.node}: not connected yet")
        """Why there is no connection now; None while there is one."""

    @property
    def name(self) -> str:
        return f"ami-{self._account.node}"

    @property
    def node(self) -> str:
        return self._account.node

    @property
    def connected(self) -> bool:
        return self.problem is None

    @property
    def missed(self) -> int:
        """Messages thrown away because nobody read them in time."""
        return self._inbox.missed

    async def send(self, action: Action) -> Message:
        [answer] = await self.send_all(action)
        if answer.refused:
            raise NodeRefused(f"node {self.node} refused {action['Action']}: {answer.text('Message')}")
        return answer

    async def send_all(self, *actions: Action) -> list[Message]:
        answers: list[Message] = await self._ask([Order(action) for action in map(checked, actions)])
        return answers

    async def collect(self, action: Action) -> list[Message]:
        [answers] = await self._ask([Order(checked(action), listing=True)])
        first: Message = answers[0]
        rows: list[Message] = answers[1:]
        if first.refused:
            raise NodeRefused(f"node {self.node} refused {action['Action']}: {first.text('Message')}")
        return rows

    async def next(self) -> Happening:
        return await self._inbox.next()

    def pending(self) -> int:
        return len(self._inbox)

    async def run(self) -> None:
        """Keep the connection for ever."""
        wait = self._patience.retry_first
        while True:
            try:
                await self._connection()
            except NodeError as problem:
                if self.connected:
                    wait = self._patience.retry_first
                self._tell(problem)
                wait = self._patience.retry_refused if isinstance(problem, NodeRefused) else wait
            self._tried.set()
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(wait * 2, self._patience.retry_longest)

    async def first_try(self) -> None:
        """Wait for the first connection; raises the NodeError that says why there is none."""
        await self._tried.wait()
        if self.problem is not None:
            raise self.problem

    def _tell(self, problem: NodeError) -> None:
        """Say once why there is no connection; the same reason again is no news."""
        if str(problem) != str(self.problem):
            log.error("%s", problem)
            self._inbox.put(Lost(reason=str(problem)))
        self.problem = problem

    async def _connection(self) -> None:
        """Connect, log in, and watch until the connection is gone. Always raises NodeError."""
        link = Connection(self._account, self._heard)
        self._booted.clear()
        try:
            await self._connect(link)
            self._link = link
            await self._log_in(link)
            await self._until(link, self._booted.wait(), self._patience.boot, "did not finish starting")
            await self._watch(link)
        finally:
            self._link = None
            link.close()

    async def _connect(self, link: Connection) -> None:
        where = self._where()
        try:
            async with asyncio.timeout(self._patience.connect):
                await link.connect()
        except TimeoutError:
            raise NodeDown(f"{where} cannot be reached ({self._patience.connect:g} s)") from None
        except ConnectionRefusedError:
            raise NodeDown(f"{where}: nobody listens there; is Asterisk up, and AMI enabled?") from None
        except OSError as error:
            raise NodeDown(f"{where} cannot be reached: {error.strerror or error}") from None

    async def _log_in(self, link: Connection) -> None:
        try:
            async with asyncio.timeout(self._patience.connect):
                answer: Message = await link.authenticated_future
        except TimeoutError:
            raise NodeDown(f"{self._where()} does not answer like an Asterisk manager interface") from None
        except NodeSilent:
            raise NodeDown(f"{self._where()} closed the connection at the login") from None
        if answer.refused:
            raise NodeRefused(
                f"{self._where()} refused the AMI user {self._account.user}: {answer.text('Message')}; "
                "compare user and secret with manager.conf"
            )

    async def _watch(self, link: Connection) -> None:
        """Ping, so that a connection whose other end is gone is noticed."""
        while True:
            await self._until(link, asyncio.sleep(self._patience.ping_every), None, "")
            pong = link.send_action({"Action": "Ping"})
            await self._until(link, pong, self._patience.pong, "does not answer to a ping")

    async def _until(self, link: Connection, waiting: Any, seconds: float | None, late: str) -> None:
        """Wait for something on a connection; NodeDown when that is lost, or when it takes too long."""
        task = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait({task, link.lost}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if link.lost.done():
                raise NodeDown(f"{self._where()}: the connection is gone: {link.lost.result()}")
            if not task.done():
                raise NodeDown(f"{self._where()} {late} within {seconds:g} s")
        finally:
            task.cancel()

    async def _ask(self, orders: list[Order]) -> list[Any]:
        link = self._link
        if self.problem is not None or link is None or link.lost.done():
            raise NodeDown(f"nothing was sent: {self.problem or self._where()}")
        futures = [link.send_action(order) for order in orders]
        await asyncio.wait(futures, timeout=self._patience.answer)
        for order in orders:
            if not order.future.done():
                order.future.cancel()
                raise NodeSilent(f"{self._where()} did not answer to {order['Action']}")
        return [future.result() for future in futures]

    def _heard(self, message: Message) -> None:
        """Take an event. What comes before Asterisk has booted is told by the questions asked after it."""
        if self._booted.is_set():
            self._inbox.put(message)
        elif message.text("Event") == "FullyBooted":
            self._booted.set()
            self.problem = None
            self._tried.set()
            self._inbox.put(Connected())
            log.info("%s: connected", self._where())

    def _where(self) -> str:
        return f"node {self._account.node} ({self._account.host}:{self._account.port})"


@asynccontextmanager
async def connected_client(
    account: AmiAccount, *, patience: Patience | None = None
) -> AsyncIterator[PanoramiskClient]:
    """Give a client that is connected; raises the NodeError that says why it cannot be. For checks and tools."""
    client = PanoramiskClient(account, patience=patience)
    service: Service = client
    async with running(service):
        await client.first_try()
        yield client


__all__ = ["AmiAccount", "PanoramiskClient", "Patience", "connected_client"]
