"""The demo company's telephone: rings a moment, answers, plays a melody until the other hangs up.

Asyncio in a thread of its own, so that it needs no process to be watched; built to run for days:
every call ends by itself when its audio stops, and a bad datagram harms nobody.
"""

import asyncio
import contextlib
import random
import secrets
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from router.firstrun import audio, sip_message

RING_SECONDS = 0.5
_FRAME = 160
_FRAME_SECONDS = 0.02
_SILENT_SECONDS = 60.0
_MOST_CALLS = 60
_RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0)

Address = tuple[str, int]
TAGS = ("x-ct-source", "x-ct-medium", "x-ct-campaign", "x-ct-method", "x-ct-confidence")


@dataclass(frozen=True, kw_only=True)
class Ring:
    """What the company's telephone shows while it rings."""

    caller: str
    name: str
    tags: dict[str, str]


@dataclass
class _Call:
    tag: str
    request: sip_message.Request
    last: bytes = b""
    answered: bool = False
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class CompanyLine:
    """A multichannel company line on `host`:`port` (udp); `on_ring` is called for each call."""

    def __init__(self, host: str, port: int, on_ring: Callable[[Ring], None]) -> None:
        self._host, self._port = host, port
        self._on_ring = on_ring
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._problem: OSError | None = None

    def start(self) -> None:
        """Begin to take calls. Raises OSError where the address cannot be used."""
        self._problem = None
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, name="company line", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._problem is not None:
            raise self._problem

    def stop(self) -> None:
        """Hang up nobody, take nothing more, end."""
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)
            self._loop = None

    @property
    def alive(self) -> bool:
        """Whether the line's thread still works."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        loop = asyncio.new_event_loop()
        telephone = _Telephone(self._host, self._port, self._on_ring)
        try:
            opened = loop.create_datagram_endpoint(
                lambda: telephone, local_addr=(self._host, self._port)
            )
            loop.run_until_complete(opened)
            self._loop = loop
        except OSError as problem:
            self._problem = problem
            loop.close()
            return
        finally:
            self._ready.set()
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(telephone.close())
            loop.close()


class _Telephone(asyncio.DatagramProtocol):
    def __init__(self, host: str, port: int, on_ring: Callable[[Ring], None]) -> None:
        self._host, self._port, self._on_ring = host, port, on_ring
        self._calls: dict[str, _Call] = {}
        self._sound = audio.melody(audio.COMPANY_NOTES)
        self._out: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = transport  # type: ignore[assignment]

    async def close(self) -> None:
        talks = [call.task for call in self._calls.values() if call.task is not None]
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        if self._out is not None:
            self._out.close()
        # A closed transport lets go of its socket in the loop's next round.
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        request = sip_message.read(data)
        if request is None or self._out is None:
            return
        reply = self._reply(request, addr)
        if reply:
            self._out.sendto(reply, addr)

    def _reply(self, request: sip_message.Request, peer: Address) -> bytes:
        call = self._calls.get(request.one("call-id"))
        match request.method:
            case "OPTIONS":
                return sip_message.answer(request, 200, contact=self._contact)
            case "INVITE" if call is None:
                return self._begin(request, peer)
            case "INVITE" if call is not None:
                return self._again(call, request)
            case "ACK":
                if call is not None:
                    call.acknowledged.set()
                return b""
            case "CANCEL" if call is not None and not call.answered:
                self._end(request.one("call-id"))
                if self._out is not None:
                    refused = sip_message.answer(call.request, 487, tag=call.tag)
                    self._out.sendto(refused, peer)
                return sip_message.answer(request, 200, tag=call.tag)
            case "BYE" if call is not None:
                self._end(request.one("call-id"))
                return sip_message.answer(request, 200, tag=call.tag)
            case "BYE" | "CANCEL":
                return sip_message.answer(request, 481)
            case _:
                return sip_message.answer(request, 501)

    @property
    def _contact(self) -> str:
        return f"sip:company@{self._host}:{self._port}"

    def _begin(self, request: sip_message.Request, peer: Address) -> bytes:
        if len(self._calls) >= _MOST_CALLS or sip_message.audio_address(request.body) is None:
            return sip_message.answer(request, 486, tag=secrets.token_hex(4))
        call = _Call(tag=secrets.token_hex(4), request=request)
        key = request.one("call-id")
        self._calls[key] = call
        call.task = asyncio.get_running_loop().create_task(self._talk(key, call, peer))
        tags = {name: unquote(request.one(name)) for name in TAGS if request.one(name)}
        self._on_ring(Ring(caller=request.caller, name=request.display_name, tags=tags))
        call.last = sip_message.answer(request, 180, tag=call.tag, contact=self._contact)
        return call.last

    def _again(self, call: _Call, request: sip_message.Request) -> bytes:
        """The same INVITE once more (its answer was lost), or a new one within the call."""
        if request.branch == call.request.branch or not call.answered:
            return call.last
        body = call.last.partition(b"\r\n\r\n")[2].decode()
        return sip_message.answer(request, 200, tag=call.tag, contact=self._contact, sdp=body)

    def _end(self, key: str) -> None:
        call = self._calls.pop(key, None)
        if call is not None and call.task is not None:
            call.task.cancel()

    async def _talk(self, key: str, call: _Call, peer: Address) -> None:
        loop = asyncio.get_running_loop()
        stream = _Stream(sip_message.audio_address(call.request.body))
        transport, _ = await loop.create_datagram_endpoint(
            lambda: stream, local_addr=(self._host, 0)
        )
        try:
            await asyncio.sleep(RING_SECONDS)
            port = transport.get_extra_info("sockname")[1]
            body = sip_message.offer(self._host, port, random.getrandbits(31))
            call.last = sip_message.answer(
                call.request, 200, tag=call.tag, contact=self._contact, sdp=body
            )
            call.answered = True
            if await self._acknowledged(call, peer):
                await stream.play(transport, self._sound)
        finally:
            transport.close()
            self._calls.pop(key, None)

    async def _acknowledged(self, call: _Call, peer: Address) -> bool:
        for wait in _RETRY_SECONDS:
            if self._out is not None:
                self._out.sendto(call.last, peer)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(call.acknowledged.wait(), wait)
                return True
        return False


class _Stream(asyncio.DatagramProtocol):
    """One call's audio: plays until the call is hung up or nothing has been heard for a minute."""

    def __init__(self, to: Address | None) -> None:
        self._to = to
        self._heard = asyncio.get_running_loop().time()

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._heard = asyncio.get_running_loop().time()

    async def play(self, out: asyncio.DatagramTransport, sound: bytes) -> None:
        loop = asyncio.get_running_loop()
        source = random.getrandbits(32)
        sequence, stamp = random.getrandbits(16), random.getrandbits(32)
        position, due = 0, loop.time()
        while loop.time() - self._heard < _SILENT_SECONDS:
            header = struct.pack("!BBHII", 0x80, 8, sequence, stamp, source)
            out.sendto(header + sound[position : position + _FRAME], self._to)
            position = (position + _FRAME) % (len(sound) - len(sound) % _FRAME)
            sequence, stamp = (sequence + 1) & 0xFFFF, (stamp + _FRAME) & 0xFFFFFFFF
            due += _FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - loop.time()))
