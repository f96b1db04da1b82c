"""A listener that idle, silent and dripping connections cannot fill.

aiohttp waits for ever for a request's head. Here a connection has `head_seconds` for it, from its start or
from the head's first byte; a sweep once a second closes what is late. `connections` are kept at most: one
more pushes out the one that has been idle longest, and `per_address` of them may come from one address.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from router.settings import Address, Networks

SWEEP_SECONDS = 1.0


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Not what is no HTTP: anybody could fill the log with it."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_log = logging.getLogger("router.web.http")
_log.addFilter(_worth_a_line)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much a listener takes. Two of them stay below the usual 1,024 file handles of a process: calls
    need some as well."""

    connections: int = 384
    per_address: int = 96
    head_seconds: float = 4.0
    idle_seconds: float = 75.0


class GuardedConnection(web.RequestHandler):
    """aiohttp's connection, which knows since when it owes a request's head."""

    def __init__(self, guard: Guard, server: web.Server, loop: Any, **options: Any) -> None:
        super().__init__(server, loop=loop, **options)
        self._guard = guard
        self.address = ""
        self.owes_since: float | None = None
        self.heard_at = 0.0

    @property
    def busy(self) -> bool:
        """A request is being answered."""
        return self._current_request is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.owes_since = self.heard_at = self._loop.time()
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        super().connection_made(transport)
        self._guard.came(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._guard.went(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        seen = self._request_count
        super().data_received(data)
        self.heard_at = self._loop.time()
        if self._request_count != seen:
            self.owes_since = None
        elif self.owes_since is None and not self.busy:
            self.owes_since = self.heard_at


class Guard:
    """Counts and sweeps the connections of one listener."""

    def __init__(self, server: web.Server, bounds: Bounds, trusted: Networks) -> None:
        self._server = server
        self._bounds = bounds
        self._trusted = trusted
        self._open: dict[GuardedConnection, None] = {}
        self._per_address: Counter[str] = Counter()
        self.refused = 0

    def __call__(self) -> GuardedConnection:
        return GuardedConnection(
            self,
            self._server,
            asyncio.get_running_loop(),
            access_log=None,
            logger=_log,
            auto_decompress=False,
            keepalive_timeout=self._bounds.idle_seconds,
            lingering_time=1.0,
        )

    def __len__(self) -> int:
        return len(self._open)

    def came(self, connection: GuardedConnection) -> None:
        self._open[connection] = None
        self._per_address[connection.address] += 1
        crowded = self._per_address[connection.address] > self._bounds.per_address
        if crowded and not self._is_proxy(connection.address):
            self.refused += 1
            connection.force_close()
        elif len(self._open) > self._bounds.connections:
            self.refused += 1
            self._make_room(connection)

    def went(self, connection: GuardedConnection) -> None:
        if connection in self._open:
            del self._open[connection]
            self._per_address[connection.address] -= 1
            if not self._per_address[connection.address]:
                del self._per_address[connection.address]

    def _make_room(self, newest: GuardedConnection) -> None:
        idle = [c for c in self._open if not c.busy and c is not newest]
        min(idle, key=lambda c: c.heard_at, default=newest).force_close()

    def _is_proxy(self, address: str) -> bool:
        return any(ip_address(address) in network for network in self._trusted)

    def sweep(self, now: float) -> None:
        """Close what owes a request's head for too long. `now` is the loop's time."""
        late = now - self._bounds.head_seconds
        for connection in list(self._open):
            owes = connection.owes_since
            if owes is not None and owes <= late and not connection.busy:
                connection.force_close()

    async def sweep_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(loop.time())


class Listener:
    """An application behind a guard. `async with Listener(...)`: it listens inside the block."""

    def __init__(
        self,
        application: web.Application,
        address: Address,
        *,
        bounds: Bounds | None = None,
        trusted: Networks = (),
        shutdown_seconds: float = 3.0,
    ) -> None:
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=shutdown_seconds
        )
        self._address = address
        self._bounds = bounds or Bounds()
        self._trusted = trusted
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self.guard: Guard | None = None

    @property
    def port(self) -> int:
        """The port it listens on; useful where the address says 0."""
        if self._server is None:
            raise RuntimeError("not listening")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Listener:
        """Raises OSError when the address is taken."""
        await self._runner.setup()
        self.guard = Guard(cast(web.Server, self._runner.server), self._bounds, self._trusted)
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self.guard, self._address.host, self._address.port, backlog=256
            )
        except OSError:
            await self._runner.cleanup()
            raise
        self._sweeper = asyncio.create_task(self.guard.sweep_for_ever(), name="http sweep")
        return self

    async def __aexit__(self, *_error: object) -> None:
        """No new connections; requests under way are finished, within `shutdown_seconds`."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
