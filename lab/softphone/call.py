"""One call at a phone: what it says, what it hears and when. The signalling around it is in `phone`."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from lab.errors import LabError
from lab.softphone import audio, rtp, sdp
from lab.softphone.behaviour import ANY_SOUND, Behaviour, CallState, Ending, Times
from lab.softphone.message import SipMessage

Bye = Callable[["PhoneCall", float], Awaitable[None]]


@dataclass(slots=True, kw_only=True, eq=False)
class PhoneCall(asyncio.DatagramProtocol):
    """A call that came in. It is its own RTP socket."""

    invite: SipMessage
    """The request that began it, with all its headers."""
    peer: tuple[str, int]
    """Where its signalling comes from."""
    behaviour: Behaviour
    user: str
    """Whom it is for."""
    bye: Bye
    """Tells the other side that it is over: `Softphone.send_bye`."""
    tag: str = field(default_factory=lambda: f"{random.getrandbits(32):08x}")
    state: CallState = CallState.RINGING
    ending: Ending | None = None
    times: Times = field(default_factory=Times)
    recording: bytearray = field(default_factory=bytearray)
    """What it heard, mu-law, packet after packet; pauses without packets are not in it."""
    heard: dict[int, float] = field(default_factory=dict)
    """Frequencies that were listened for and heard, with the time of the first packet."""
    packets_in: int = 0
    packets_out: int = 0
    voice_to: tuple[str, int] | None = None
    _voice: bytes = audio.SILENCE
    _position: int = 0
    _source: int = field(default_factory=lambda: random.getrandbits(32))
    _start: int = field(default_factory=lambda: random.getrandbits(15))
    _media: asyncio.DatagramTransport | None = None
    _ears: dict[int, asyncio.Future[float]] = field(default_factory=dict)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._voice = self.behaviour.voice
        self.voice_to = sdp.voice_address(self.invite.body)

    @property
    def id(self) -> str:
        """SIP's Call-ID."""
        return self.invite.header("call-id")

    async def answered(self, *, within: float = 60.0) -> None:
        """Wait until the phone has answered. Raises TimeoutError."""
        async with asyncio.timeout(within):
            await self._answered.wait()

    async def ended(self, *, within: float = 60.0) -> None:
        """Wait until the call is over. Raises TimeoutError."""
        async with asyncio.timeout(within):
            await self._ended.wait()

    async def hang_up(self, *, patience: float = 5.0) -> None:
        """End it, if it is up. Raises TimeoutError when the other side does not answer."""
        if self.state is CallState.UP:
            self.end(Ending.LOCAL)
            await self.bye(self, patience)

    def listen_for(self, frequency: int) -> asyncio.Future[float]:
        """Listen from now on; the result is the time at which this tone (or ANY_SOUND) comes first."""
        ear = self._ears.get(frequency)
        if ear is None or ear.done():
            ear = self._ears[frequency] = asyncio.get_running_loop().create_future()
        return ear

    async def hears(self, frequency: int = ANY_SOUND, *, within: float = 5.0) -> float:
        """Wait until this tone comes, return when it came. Raises TimeoutError; LabError when the call ends first."""
        async with asyncio.timeout(within):
            return await asyncio.shield(self.listen_for(frequency))

    def speak(self, voice: bytes) -> None:
        """Say something else from the next packet on, again and again."""
        self._voice, self._position = voice, 0

    def save(self, path: Path) -> None:
        """Write what was heard as a wav file."""
        audio.write_wav(path, self.recording)

    async def open_media(self, host: str) -> None:
        """Open the socket for voice."""
        loop = asyncio.get_running_loop()
        self._media, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))

    def description(self, version: int, offer: str) -> str:
        """Return our session description in answer to an offer."""
        host, port = self._open_media().get_extra_info("sockname")
        way = sdp.MIRRORED[sdp.direction(offer)]
        return sdp.describe(host, port, version=version, direction=way)

    def _open_media(self) -> asyncio.DatagramTransport:
        if self._media is None:
            raise LabError(f"the call for {self.user} has no socket for voice yet")
        return self._media

    def go_up(self) -> None:
        self.state, self.times.answered = CallState.UP, time.monotonic()
        self._answered.set()

    def end(self, ending: Ending) -> None:
        """Note the end; the voice stops. A second end changes nothing."""
        if self.state is CallState.ENDED:
            return
        self.state, self.ending, self.times.ended = CallState.ENDED, ending, time.monotonic()
        self._ended.set()
        for frequency, ear in self._ears.items():
            if not ear.done():
                ear.set_exception(LabError(f"the call ended before {frequency or 'a sound'} was heard"))
                ear.exception()  # Perhaps nobody waits for it any more.
        if self._media is not None:
            self._media.close()

    def send_frame(self) -> None:
        """Say the next 20 ms."""
        if self.state is not CallState.UP or self.voice_to is None or self._media is None:
            return
        frame, self._position = rtp.cut(self._voice, self._position)
        packet = rtp.pack(
            frame,
            sequence=self._start + self.packets_out,
            timestamp=self._start + self.packets_out * audio.FRAME,
            source=self._source,
            first=self.packets_out == 0,
        )
        self._media.sendto(packet, self.voice_to)
        self.packets_out += 1

    def datagram_received(self, packet: bytes, _: tuple[str, int]) -> None:
        now = time.monotonic()
        frame = rtp.payload(packet)
        if frame is None or self.state is CallState.ENDED:
            return
        self.packets_in += 1
        if self.times.first_packet is None:
            self.times.first_packet = now
        if self.behaviour.record:
            self.recording += frame
        if (self._ears or self.times.first_sound is None) and audio.is_sound(frame):
            self._notice(frame, now)

    def _notice(self, frame: bytes, now: float) -> None:
        if self.times.first_sound is None:
            self.times.first_sound = now
        for frequency in list(self._ears):
            if frequency == ANY_SOUND or audio.hears_tone(frame, frequency):
                self.heard.setdefault(frequency, now)
                ear = self._ears.pop(frequency)
                if not ear.done():
                    ear.set_result(now)
