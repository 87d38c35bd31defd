"""An `AmiClient` over panoramisk: the only module that knows that library.

panoramisk makes the connection, logs in, numbers and writes actions. Where it was found to lose, repeat or reorder
things (docs/decisions/0011-panoramisk.md) its methods are replaced here: bytes are cut into messages before they are
decoded; an answer that will not come is an error; nothing is sent twice; reconnecting is done by `run`.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from panoramisk.actions import Action as PanoramiskAction
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from cti.ami.actions import Action, checked
from cti.ami.inbox import Inbox
from cti.ami.message import Message, parse
from cti.ami.ports import Connected, Happening, Lost
from cti.errors import NodeDown, NodeError, NodeRefused, NodeSilent
from cti.service import Service, running

log = logging.getLogger(__name__)

LONGEST_MESSAGE: Final = 4 * 1024 * 1024
"""Bytes without an end of message after which the other side is no Asterisk."""
_END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiAccount:
    """Where a node's manager interface is, and as whom we log in."""

    node: str
    host: str
    port: int
    user: str
    secret: str = field(repr=False)


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


class _Order(PanoramiskAction):  # type: ignore[misc] # the library has no types
    """An action under way. It is done with the first answer, or, for a list, with the closing row."""

    def __init__(self, action: Action, *, listing: bool = False) -> None:
        super().__init__(dict(action), as_list=listing)
        self.listing = listing

    def add_message(self, message: Message) -> bool:
        """Take one message of the answer; True when it was the last."""
        if self.listing and not message.refused and not self._closes(message):
            if "Event" in message:
                self.responses.append(message)
            return False
        if not self.future.done():
            self.future.set_result([message, *self.responses] if self.listing else message)
        return True

    def _closes(self, message: Message) -> bool:
        return "Event" in message and (
            message.text("EventList").lower() == "complete" or message.text("Event").endswith("Complete")
        )


class _Protocol(AMIProtocol):  # type: ignore[misc]
    """Bytes to messages, and messages to the order or the listener they are for."""

    def __init__(self, on_event: Callable[[Message], None]) -> None:
        self._on_event = on_event
        self._rest = b""
        self.responses: dict[str, _Order] = {}
        self.closed = False

    def data_received(self, data: bytes) -> None:
        # Cut first, decoded after: a letter split over two reads stays whole.
        received, found, rest = (self._rest + data).rpartition(_END)
        self._rest = rest
        if found:
            for block in received.decode("utf-8", "replace").split("\r\n\r\n"):
                message = parse(block)
                if message is not None:
                    self.handle_message(message)
        elif len(rest) > LONGEST_MESSAGE:
            self.transport.abort()

    def handle_message(self, message: Message) -> None:
        action_id = message.text("ActionID")
        order = self.responses.get(action_id) if action_id else None
        if order is not None and (order.listing or ("Response" in message and "Event" not in message)):
            if order.add_message(message):
                self.responses.pop(action_id, None)
        elif "Event" in message:
            self._on_event(message)

    def close(self) -> None:
        """End the connection. Orders without an answer are told so, and never sent again."""
        silent = dict(self.responses)
        self.responses.clear()
        for order in silent.values():
            if not order.future.done():
                order.future.set_exception(NodeSilent(f"no answer to {order['Action']}: the connection went"))
                order.future.exception()
        if not self.closed:
            self.closed = True
            self.transport.abort()


class _Manager(Manager):  # type: ignore[misc]
    """One connection. It neither connects again nor keeps actions nor pings by itself."""

    def __init__(self, account: AmiAccount, on_event: Callable[[Message], None]) -> None:
        super().__init__(
            host=account.host,
            port=account.port,
            username=account.user,
            secret=account.secret,
            loop=asyncio.get_running_loop(),
            protocol_factory=lambda: _Protocol(on_event),
            log=logging.getLogger("cti.ami.panoramisk"),
        )
        self.lost: asyncio.Future[str] = self.loop.create_future()
        self._closed = False

    def connection_made(self, f: "asyncio.Task[Any]") -> None:
        if f.cancelled() or f.exception() is not None:
            return
        if self._closed:
            f.result()[0].abort()
        else:
            super().connection_made(f)

    def close(self) -> None:
        self._closed = True
        super().close()

    def send_action(self, action: Any, as_list: bool | None = None, **_: Any) -> "asyncio.Future[Any]":
        order = action if isinstance(action, _Order) else _Order(action)
        sent: asyncio.Future[Any] = self.protocol.send(order, as_list=order.listing)
        return sent

    def login(self, future: "asyncio.Future[Message]") -> None:
        """The answer to the login is read by who awaits it."""

    def ping(self) -> None:
        """Pings are sent by the client, which waits for the answer."""

    def connection_lost(self, exc: Exception | None) -> None:
        if self.pinger:
            self.pinger.cancel()
        if not self.lost.done():
            self.lost.set_result(str(exc) if exc else "Asterisk closed the connection")


class PanoramiskClient:
    """One node's connection. A service: `run` connects and connects again; see `AmiClient` for the rest."""

    def __init__(
        self, account: AmiAccount, *, patience: Patience | None = None, inbox_size: int = 20_000
    ) -> None:
        checked({"Username": account.user, "Secret": account.secret})
        self._account = account
        self._patience = patience or Patience()
        self._inbox = Inbox(account.node, inbox_size)
        self._manager: _Manager | None = None
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
        answers: list[Message] = await self._ask([_Order(action) for action in map(checked, actions)])
        return answers

    async def collect(self, action: Action) -> list[Message]:
        [answers] = await self._ask([_Order(checked(action), listing=True)])
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
        manager = _Manager(self._account, self._heard)
        self._booted.clear()
        try:
            await self._connect(manager)
            self._manager = manager
            await self._log_in(manager)
            await self._until(manager, self._booted.wait(), self._patience.boot, "did not finish starting")
            await self._watch(manager)
        finally:
            self._manager = None
            manager.close()

    async def _connect(self, manager: _Manager) -> None:
        where = self._where()
        try:
            async with asyncio.timeout(self._patience.connect):
                await manager.connect()
        except TimeoutError:
            raise NodeDown(f"{where} cannot be reached ({self._patience.connect:g} s)") from None
        except ConnectionRefusedError:
            raise NodeDown(f"{where}: nobody listens there; is Asterisk up, and AMI enabled?") from None
        except OSError as error:
            raise NodeDown(f"{where} cannot be reached: {error.strerror or error}") from None

    async def _log_in(self, manager: _Manager) -> None:
        try:
            async with asyncio.timeout(self._patience.connect):
                answer: Message = await manager.authenticated_future
        except TimeoutError:
            raise NodeDown(f"{self._where()} does not answer like an Asterisk manager interface") from None
        except NodeSilent:
            raise NodeDown(f"{self._where()} closed the connection at the login") from None
        if answer.refused:
            raise NodeRefused(
                f"{self._where()} refused the AMI user {self._account.user}: {answer.text('Message')}; "
                "compare user and secret with manager.conf"
            )

    async def _watch(self, manager: _Manager) -> None:
        """Ping, so that a connection whose other end is gone is noticed."""
        while True:
            await self._until(manager, asyncio.sleep(self._patience.ping_every), None, "")
            pong = manager.send_action({"Action": "Ping"})
            await self._until(manager, pong, self._patience.pong, "does not answer to a ping")

    async def _until(self, manager: _Manager, waiting: Any, seconds: float | None, late: str) -> None:
        """Wait for something on a connection; NodeDown when that is lost, or when it takes too long."""
        task = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait({task, manager.lost}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if manager.lost.done():
                raise NodeDown(f"{self._where()}: the connection is gone: {manager.lost.result()}")
            if not task.done():
                raise NodeDown(f"{self._where()} {late} within {seconds:g} s")
        finally:
            task.cancel()

    async def _ask(self, orders: list[_Order]) -> list[Any]:
        manager = self._manager
        if self.problem is not None or manager is None or manager.lost.done():
            raise NodeDown(f"nothing was sent: {self.problem or self._where()}")
        futures = [manager.send_action(order) for order in orders]
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
