"""One connection to one Asterisk over panoramisk: the only module that imports that library.

panoramisk makes the connection, logs in, numbers and writes actions. Where it was found to lose, repeat or reorder
things (docs/decisions/0010-panoramisk.md) its methods are replaced: bytes are cut into messages before they are
decoded; an answer that will not come is an error; nothing is kept to be sent again; one function that only fills a
queue gets all events. A connection that is gone is not made again here.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from panoramisk.actions import Action as PanoramiskAction
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from cti.ami.actions import Action
from cti.ami.message import Message, parse
from cti.errors import NodeSilent

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


class Order(PanoramiskAction):  # type: ignore[misc] # the library has no types
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
        self.responses: dict[str, Order] = {}
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


class Connection(Manager):  # type: ignore[misc]
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
        order = action if isinstance(action, Order) else Order(action)
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
