"""Something else than a router on the FastAGI port: the company rings, the call is attributed afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.adversity.test_router_down import RINGS_WITHIN, spring
from tests.e2e.stub_router import stub_router
from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ["close", "silent", "rubbish", "not json", "half"]


@asynccontextmanager
async def half_a_line(port: int, seconds: float) -> AsyncIterator[None]:
    """Half a command, then nothing; the socket is closed after `seconds`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'SET VARIABLE CT_R "{\\"t\\":')
        await asyncio.sleep(seconds)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("mode", MODES)
async def test_a_router_that_misbehaves(system: System, mode: str) -> None:
    """Whatever it says or does not say, the number's own fail-safe route rings."""
    visit = await system.visit()
    caller = system.new_caller()
    system.router.stop()
    port = system.instance.ports.agi
    async with _stub(port, mode):
        _, waited = await system.talk(visit.number, caller, seconds=0.5)
    system.router.start()
    await system.router.ready()
    record = await system.record(caller)

    assert waited < RINGS_WITHIN
    assert spring(record)
    assert record["route_source"] == "failsafe_number"


@asynccontextmanager
async def _stub(port: int, mode: str) -> AsyncIterator[None]:
    async with stub_router(port) as stub:
        stub.mode = mode  # type: ignore[assignment]
        yield


async def test_a_router_stuck_in_mid_line(system: System) -> None:
    """The one thing Asterisk cannot bound: it waits for the rest of the line until the socket is closed.
    The router's own watchdog closes it in time; see the docs for a process frozen at that moment."""
    visit = await system.visit()
    caller = system.new_caller()
    system.router.stop()
    async with half_a_line(system.instance.ports.agi, 1.5):
        _, waited = await system.talk(visit.number, caller, seconds=0.5)
    system.router.start()
    await system.router.ready()

    assert waited < RINGS_WITHIN
    assert spring(await system.record(caller))


async def test_a_port_that_refuses(system: System) -> None:
    """Nobody listens there."""
    visit = await system.visit()
    caller = system.new_caller()
    system.router.kill()
    _, waited = await system.talk(visit.number, caller, seconds=0.5)
    system.router.start()
    await system.router.ready()

    assert waited < RINGS_WITHIN
    assert spring(await system.record(caller))


async def test_a_port_that_swallows(system: System) -> None:
    """A full backlog: connections are not even refused. Asterisk's own connect limit is 2.0 s."""
    visit = await system.visit()
    caller = system.new_caller()
    system.router.stop()
    address = ("127.0.0.1", system.instance.ports.agi)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        await asyncio.sleep(0.1)
        _, waited = await system.talk(visit.number, caller, seconds=0.5)
        for filler in fillers:
            filler.close()
    system.router.start()
    await system.router.ready()

    assert 1.5 < waited < RINGS_WITHIN, "the port did not swallow"
    assert spring(await system.record(caller))
