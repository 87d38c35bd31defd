"""Requests and answers over a lossy transport (RFC 3261, section 17): sent again until the other side reacts."""

import asyncio
import random
from collections.abc import Callable
from typing import Final

from lab.softphone.message import SipMessage

T1: Final = 0.5
"""First wait before a message is sent again; doubles (RFC 3261, 17.1.1.1)."""
T2: Final = 4.0
"""Longest wait between two of them."""
PATIENCE: Final = 64 * T1

Address = tuple[str, int]
Send = Callable[[SipMessage, Address], None]


def new_branch() -> str:
    """Return an id for a transaction; the prefix is RFC 3261's magic cookie."""
    return f"z9hG4bK{random.getrandbits(64):016x}"


class Transactions:
    """Requests of ours that wait for their answer, and answers of ours that wait for their ACK."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: dict[str, asyncio.Future[SipMessage]] = {}
        self._unacknowledged: dict[str, asyncio.TimerHandle] = {}

    async def request(self, message: SipMessage, to: Address, *, patience: float = PATIENCE) -> SipMessage:
        """Send a request until its final answer comes, and return that. Raises TimeoutError."""
        answer: asyncio.Future[SipMessage] = asyncio.get_running_loop().create_future()
        self._waiting[message.branch] = answer
        wait = T1
        try:
            async with asyncio.timeout(patience):
                while True:
                    self._send(message, to)
                    done, _ = await asyncio.wait({answer}, timeout=wait)
                    if done:
                        return answer.result()
                    wait = min(2 * wait, T2)
        finally:
            del self._waiting[message.branch]

    def answered(self, response: SipMessage) -> None:
        """Take a response from the wire. Provisional ones and strays change nothing."""
        waiting = self._waiting.get(response.branch)
        if waiting is not None and not waiting.done() and response.status >= 200:
            waiting.set_result(response)

    def respond_until_ack(self, call_id: str, response: SipMessage, to: Address) -> None:
        """Send a final answer to an INVITE, again and again until `acknowledged`."""
        self.acknowledged(call_id)
        self._again(call_id, response, to, wait=T1, left=PATIENCE)

    def acknowledged(self, call_id: str) -> None:
        """Stop sending the answer of this call."""
        if timer := self._unacknowledged.pop(call_id, None):
            timer.cancel()

    def close(self) -> None:
        for call_id in list(self._unacknowledged):
            self.acknowledged(call_id)

    def _again(self, call_id: str, response: SipMessage, to: Address, *, wait: float, left: float) -> None:
        self._send(response, to)
        self._unacknowledged.pop(call_id, None)
        if left > 0:
            self._unacknowledged[call_id] = asyncio.get_running_loop().call_later(
                wait,
                lambda: self._again(call_id, response, to, wait=min(2 * wait, T2), left=left - wait),
            )
