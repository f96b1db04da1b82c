"""The servers that ours is held against, each in a process of its own.

    python -m tests.bench.servers agi-bare | agi-panoramisk
    python -m tests.bench.servers http-update DATABASE_URL

Prints {"port": …} when it takes connections.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import cast

import asyncpg
import uvloop
from aiohttp import web
from panoramisk import fast_agi

from tests.bench import workload
from tests.bench.strategies import no_reset
from tests.conftest import free_port

# As long as a real answer.
ANSWER = (
    '{"ref":"q8Zb0mJt3yXWc5nVd7kLpA","t":"PJSIP/company^25","n":"google / spring",'
    '"hs":"google","hm":"cpc","hc":"spring","hx":"reservation","hp":"0.97"}'
)
COMMAND = 'SET VARIABLE CT_R "' + ANSWER.replace('"', '\\"') + '"'


class BareAgi(asyncio.Protocol):
    """The least a FastAGI server can be: it looks for the end of the environment and nothing else."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's classes, they only behave so
        self._transport = cast(asyncio.Transport, transport)
        self._asked = False

    def data_received(self, data: bytes) -> None:
        if self._asked:
            self._transport.close()
            return
        self._buffer += data
        if self._buffer.endswith(b"\n\n"):
            self._asked = True
            self._transport.write(_LINE)


_LINE = (COMMAND + "\n").encode()


async def agi_bare() -> int:
    """On uvloop."""
    port = free_port()
    await asyncio.get_running_loop().create_server(BareAgi, "127.0.0.1", port, backlog=1024)
    return port


async def agi_panoramisk() -> int:
    """panoramisk's server as its documentation shows it, on asyncio's own loop."""

    async def route(request: fast_agi.Request) -> None:
        await request.send_command(COMMAND)

    application = fast_agi.Application(loop=asyncio.get_running_loop())
    application.add_route("route", route)
    port = free_port()
    await asyncio.start_server(application.handler, "127.0.0.1", port, backlog=1024)
    return port


async def http_update(dsn: str) -> int:
    """An aiohttp handler that reads the request and makes one committed UPDATE by key; on uvloop."""
    pool = await asyncpg.create_pool(dsn, min_size=8, max_size=8, reset=no_reset)
    chance = random.Random(7)

    async def update(request: web.Request) -> web.Response:
        body = await request.json()
        number = int(body.get("number", 0)) or chance.randint(1, workload.NUMBERS)
        until = datetime.now(UTC) + timedelta(minutes=1)
        shown = await pool.fetchval(
            "UPDATE number SET reserved_until = $2, version = version + 1 WHERE id = $1 RETURNING e164",
            number,
            until,
        )
        return web.json_response({"number": {"e164": shown}, "valid_until": until.isoformat()})

    application = web.Application()
    application.router.add_post("/update", update)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return port


SERVERS: dict[str, Callable[..., Awaitable[int]]] = {
    "agi-bare": agi_bare,
    "agi-panoramisk": agi_panoramisk,
    "http-update": http_update,
}


async def _serve(name: str, arguments: list[str]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    port = await SERVERS[name](*arguments)
    print(json.dumps({"port": port}), flush=True)
    await stop.wait()


def main(name: str, *arguments: str) -> None:
    serving = _serve(name, list(arguments))
    if name == "agi-panoramisk":
        asyncio.run(serving)
    else:
        uvloop.run(serving)


if __name__ == "__main__":
    main(*sys.argv[1:])
