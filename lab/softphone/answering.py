"""What a phone answers: to which call a request belongs, and what to say to it (RFC 3261). The socket is in `phone`."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from lab.softphone import message as sip
from lab.softphone import sdp
from lab.softphone.behaviour import Behaviour, CallState, Ending
from lab.softphone.call import PhoneCall
from lab.softphone.line import Line
from lab.softphone.message import SipMessage
from lab.softphone.transactions import PATIENCE, Address, Send, Transactions, new_branch

RINGS_FOREVER: Final = 10 * PATIENCE


class Answering:
    """The calls of one phone, by their Call-ID."""

    def __init__(self, *, lines: Mapping[str, Line], send: Send, transactions: Transactions) -> None:
        self.stranger: Behaviour | None = None
        self.strangers: list[PhoneCall] = []
        self.address: Address = ("", 0)
        self._talking: set[PhoneCall] = set()
        self._calls: dict[str, PhoneCall] = {}
        self._lines, self._send, self._transactions = lines, send, transactions
        self._tasks: set[asyncio.Task[None]] = set()

    def requested(self, request: SipMessage, peer: Address) -> None:
        """Answer a request, unless its line is dead."""
        if self._is_dead(request):
            return
        call = self._calls.get(request.header("call-id"))
        match request.method:
            case "INVITE" if call is None:
                self._invited(request, peer)
            case "INVITE":
                self._invited_again(call, request, peer)
            case "ACK":
                self._acknowledged(call)
            case "BYE" if call is not None:
                self._send(sip.response(request, 200), peer)
                self._finish(call, Ending.REMOTE)
            case "CANCEL" if call is not None:
                self._cancelled(call, request, peer)
            case "BYE" | "CANCEL":
                self._send(sip.response(request, 481), peer)
            case "UPDATE" if call is not None:
                self._updated(call, request, peer)
            case "OPTIONS" | "NOTIFY" | "INFO" | "MESSAGE":
                self._send(sip.response(request, 200, tag="phone"), peer)
            case _:
                self._send(sip.response(request, 501, tag="phone"), peer)

    def speak(self) -> None:
        """Say the next 20 ms of every call that is up."""
        for call in list(self._talking):
            if call.state is CallState.UP:
                call.send_frame()
            else:
                self._talking.discard(call)

    async def send_bye(self, call: PhoneCall, patience: float) -> None:
        """Tell the other side that a call is over. Raises TimeoutError when it does not answer."""
        self._finish(call, Ending.LOCAL)
        await self._transactions.request(self._bye(call), call.peer, patience=patience)

    async def close(self) -> None:
        """Hang up what is up and forget what rings."""
        await asyncio.gather(*(self._farewell(call) for call in self._talking.copy()))
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _farewell(self, call: PhoneCall) -> None:
        with suppress(TimeoutError):
            await call.hang_up(patience=1.0)

    def _is_dead(self, request: SipMessage) -> bool:
        line = self._lines.get(request.user)
        if line is None and (call := self._calls.get(request.header("call-id"))):
            line = self._lines.get(call.user)
        return line is not None and line.dead

    def _invited(self, request: SipMessage, peer: Address) -> None:
        line = self._lines.get(request.user)
        behaviour = line.behaviour if line else self.stranger
        if behaviour is None:
            self._transactions.respond_until_ack(
                request.header("call-id"), sip.response(request, 404, tag="phone"), peer
            )
            return
        call = PhoneCall(invite=request, peer=peer, behaviour=behaviour, user=request.user, bye=self.send_bye)
        self._calls[call.id] = call
        self._send(sip.response(request, 100), peer)
        if line:
            line.arrived(call)
        else:
            self.strangers.append(call)
        task = asyncio.create_task(self._take(call), name=f"call for {call.user}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, call: PhoneCall) -> None:
        behaviour = call.behaviour
        if behaviour.answer_after is None or behaviour.answer_after > 0:
            self._send(sip.response(call.invite, 180, self._contact(call), tag=call.tag), call.peer)
            with suppress(TimeoutError):
                await call.ended(within=behaviour.answer_after or RINGS_FOREVER)
        if call.state is not CallState.RINGING:
            return
        if behaviour.refuse is not None or behaviour.answer_after is None:
            self._refuse(call, behaviour.refuse or 480, Ending.REFUSED)
            return
        await call.open_media(self.address[0])
        if call.state is CallState.RINGING:
            self._describe(call, call.invite, call.peer)
            call.go_up()
            self._talking.add(call)
            call.send_frame()

    def _invited_again(self, call: PhoneCall | None, request: SipMessage, peer: Address) -> None:
        """A repeated INVITE gets nothing new (its answer is sent again anyway); a changed one gets our description."""
        if call is None or request.header("cseq") == call.invite.header("cseq"):
            return
        if call.state is CallState.UP:
            self._describe(call, request, peer)
        else:
            self._send(sip.response(request, 481), peer)

    def _updated(self, call: PhoneCall, request: SipMessage, peer: Address) -> None:
        if request.body and call.state is CallState.UP:
            self._send(self._described(call, request), peer)
        else:
            self._send(sip.response(request, 200, self._contact(call)), peer)

    def _describe(self, call: PhoneCall, request: SipMessage, peer: Address) -> None:
        self._transactions.respond_until_ack(call.id, self._described(call, request), peer)

    def _described(self, call: PhoneCall, request: SipMessage) -> SipMessage:
        call.voice_to = sdp.voice_address(request.body) or call.voice_to
        version = int(request.header("cseq").split()[0])
        body = call.description(version, request.body)
        kind = ("content-type", "application/sdp")
        return sip.response(request, 200, self._contact(call), kind, tag=call.tag, body=body)

    def _acknowledged(self, call: PhoneCall | None) -> None:
        if call is None:
            return
        self._transactions.acknowledged(call.id)
        if call.times.acknowledged is None:
            call.times.acknowledged = time.monotonic()

    def _cancelled(self, call: PhoneCall, request: SipMessage, peer: Address) -> None:
        self._send(sip.response(request, 200, tag=call.tag), peer)
        if call.state is CallState.RINGING:
            self._refuse(call, 487, Ending.CANCELLED)

    def _refuse(self, call: PhoneCall, status: int, ending: Ending) -> None:
        refusal = sip.response(call.invite, status, tag=call.tag)
        self._transactions.respond_until_ack(call.id, refusal, call.peer)
        self._finish(call, ending)

    def _finish(self, call: PhoneCall, ending: Ending) -> None:
        call.end(ending)
        self._talking.discard(call)
        # Kept for a while: the other side may repeat its last request.
        asyncio.get_running_loop().call_later(PATIENCE, self._calls.pop, call.id, None)

    def _contact(self, call: PhoneCall) -> tuple[str, str]:
        return "contact", f"<sip:{call.user}@{self.address[0]}:{self.address[1]}>"

    def _bye(self, call: PhoneCall) -> SipMessage:
        invite = call.invite
        target = sip.address(invite.header("contact") or invite.header("from"))
        here = f"{self.address[0]}:{self.address[1]}"
        headers = (
            ("via", f"SIP/2.0/UDP {here};branch={new_branch()};rport"),
            ("max-forwards", "70"),
            ("from", f"{invite.header('to')};tag={call.tag}"),
            ("to", invite.header("from")),
            ("call-id", call.id),
            ("cseq", "1 BYE"),
        )
        return SipMessage(f"BYE {target} SIP/2.0", headers)
