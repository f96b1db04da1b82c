"""A FastAGI server that answers with one command and closes.

    Asterisk: agi_network_script: route\\n agi_uniqueid: …\\n …\\n \\n
    router:   SET VARIABLE CT_R "…"\\n, and no more
    Asterisk: 200 result=1\\n, and closes

Whoever connects gets a second for the variables and 0.9 s for the answer. Half a line, or a NUL, would
keep Asterisk's channel busy until the socket is closed; so commands leave whole, and a thread beside
the event loop closes the sockets of exchanges that are overdue because the loop itself is stuck.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import lru_cache
from typing import cast

import structlog

from router.services.metrics import CallMetrics

log = structlog.get_logger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# an environment → the command, or None to close without a word
Handler = Callable[[Mapping[str, str]], Awaitable[bytes | None]]

HEADER_SECONDS = 1.0
EXCHANGE_SECONDS = 0.9
# how long Asterisk's reply is waited for; nothing is done with it
REPLY_SECONDS = 0.25
# what the watchdog leaves to the event loop
WATCHDOG_GRACE = 0.1
# how often it looks while nothing is open: an exchange has more time than this
WATCHDOG_SELDOM = 0.5
ENVIRONMENT_BYTES = 8192
ENVIRONMENT_LINES = 100
CONNECTIONS = 512


class Refused(ValueError):
    """The peer does not speak AGI as we accept it; the message is the reason."""


def parse(head: bytes) -> dict[str, str]:
    """The lines of an environment → variables. Bytes that are not UTF-8 are replaced."""
    variables = {}
    for line in head.decode(errors="replace").split("\n"):
        name, colon, value = line.rstrip("\r").partition(":")
        if not colon or not name.startswith("agi_"):
            raise Refused("no variable")
        variables[name] = value.strip()
    return variables


class _Exchange(asyncio.Protocol):
    """One connection, from its variables to its end."""

    def __init__(self, server: FastAgiServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None
        self.fd = -1
        self.overdue_at = 0.0
        self.asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # not an isinstance: uvloop's transports have no base class in common with asyncio's
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if not self._server.allowed(peer[0] if peer else ""):
            self.refuse("source")
            return
        self.fd = transport.get_extra_info("socket").fileno()
        self._wait(self._server.header_seconds, "slow variables")
        self._server.opened(self)

    def data_received(self, data: bytes) -> None:
        if self.asked:
            # Asterisk's reply, or HANGUP: the connection ends either way
            self._transport.close()
            return
        self._buffer += data
        try:
            head = self._head()
        except Refused as refused:
            self.refuse(str(refused))
            return
        if head is not None:
            self.asked = True
            self._buffer.clear()
            self._wait(self._server.exchange_seconds, "slow answer")
            self._server.spawn(self._answer(head))

    def _head(self) -> dict[str, str] | None:
        if b"\0" in self._buffer:
            raise Refused("NUL")
        end = self._buffer.find(b"\n\n")
        if end < 0:
            end = self._buffer.find(b"\n\r\n")
        if max(end, 0) > ENVIRONMENT_BYTES or (end < 0 and len(self._buffer) > ENVIRONMENT_BYTES):
            raise Refused("too many bytes")
        if self._buffer.count(b"\n", 0, end if end >= 0 else None) >= ENVIRONMENT_LINES:
            raise Refused("too many lines")
        return None if end < 0 else parse(bytes(self._buffer[:end]))

    async def _answer(self, environment: Mapping[str, str]) -> None:
        try:
            command = await self._server.handler(environment)
        except Exception:
            log.exception("FastAGI handler failed")
            command = None
        if self._transport.is_closing():
            return
        if command is None:
            self.refuse("no answer")
            return
        self._transport.write(command)
        # Asterisk reads the command, then our end of file, and goes on without waiting for us
        self._transport.write_eof()
        self._wait(REPLY_SECONDS, None)

    def _wait(self, seconds: float, reason: str | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.overdue_at = time.monotonic() + seconds + WATCHDOG_GRACE
        end = self._transport.close if reason is None else self._expire
        self._timer = asyncio.get_running_loop().call_later(seconds, end)

    def _expire(self) -> None:
        self.refuse("slow answer" if self.asked else "slow variables")

    def refuse(self, reason: str) -> None:
        """Close at once and without a word."""
        if not self._transport.is_closing():
            self._server.refused(reason)
            self._server.closed(self)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._server.closed(self)


class FastAgiServer:
    """Answers each connection by `handler`, within bounds.

    `listen` is host and port (0: any), `allow` the networks that may connect. `run` serves for ever.
    """

    def __init__(
        self,
        listen: tuple[str, int],
        allow: Sequence[Network],
        handler: Handler,
        metrics: CallMetrics,
        *,
        header_seconds: float = HEADER_SECONDS,
        exchange_seconds: float = EXCHANGE_SECONDS,
        connections: int = CONNECTIONS,
    ) -> None:
        self.handler = handler
        self.header_seconds = header_seconds
        self.exchange_seconds = exchange_seconds
        self.allowed = lru_cache(maxsize=1024)(lambda host: _within(host, allow))
        self._listen = listen
        self._metrics = metrics
        self._connections = connections
        self._open: dict[_Exchange, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        # the watchdog's thread looks at the open exchanges, too
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        host, port = self._listen
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Exchange(self), host, port, backlog=1024, reuse_address=True
        )
        threading.Thread(target=self._watch, name="fastagi watchdog", daemon=True).start()

    async def run(self) -> None:
        """Serve until cancelled."""
        if self._server is None:
            await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop listening and close what is open."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
        for exchange in list(self._open):
            exchange.refuse("closing")
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    def spawn(self, answer: Coroutine[None, None, None]) -> None:
        """Run an answer, and keep hold of it until it is done."""
        task = asyncio.get_running_loop().create_task(answer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def opened(self, exchange: _Exchange) -> None:
        """A connection more. Where there are too many, the oldest that has not asked yet goes."""
        if len(self._open) >= self._connections:
            idle = next((one for one in self._open if not one.asked), None)
            (idle or exchange).refuse("too many connections")
            if idle is None:
                return
        with self._lock:
            self._open[exchange] = None
        self._metrics.agi_connections.set(len(self._open))

    def closed(self, exchange: _Exchange) -> None:
        """A connection less; from here on its file descriptor may be anyone's."""
        with self._lock:
            self._open.pop(exchange, None)
        self._metrics.agi_connections.set(len(self._open))

    def refused(self, reason: str) -> None:
        """Count a connection closed without an answer."""
        self._metrics.agi_refused.labels(reason).inc()

    def _watch(self) -> None:
        # at its own pace: to be woken by each connection would be part of the call's time
        while not self._stopping.wait(WATCHDOG_GRACE if self._open else WATCHDOG_SELDOM):
            now = time.monotonic()
            with self._lock:
                # under the lock no descriptor in the list is closed: see `closed`
                for exchange in self._open:
                    if exchange.overdue_at < now:
                        _shut_down(exchange.fd)


def _shut_down(fd: int) -> None:
    """End both directions of a socket that somebody else owns."""
    with contextlib.suppress(OSError):
        borrowed = socket.socket(fileno=fd)
        try:
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()


def _within(host: str, networks: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
