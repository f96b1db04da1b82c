"""The FastAGI server on real sockets, against peers that keep to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from router.services.metrics import CallMetrics
from router.telephony.fastagi import FastAgiServer, Handler, Refused, parse

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: route\nagi_uniqueid: pbx1-1.0\n"
    b"agi_callerid: +79161234567\nagi_arg_1: 74951234567\n\n"
)
COMMAND = b'SET VARIABLE CT_R "{}"\n'
_REGISTRIES: dict[FastAgiServer, CollectorRegistry] = {}


async def echo(environment: Mapping[str, str]) -> bytes:
    return COMMAND


@asynccontextmanager
async def serving(
    handler: Handler = echo,
    *,
    allow: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = LOOPBACK,
    header_seconds: float = 0.5,
    exchange_seconds: float = 0.5,
    connections: int = 512,
) -> AsyncIterator[FastAgiServer]:
    registry = CollectorRegistry()
    server = FastAgiServer(
        ("127.0.0.1", 0),
        allow,
        handler,
        CallMetrics(registry),
        header_seconds=header_seconds,
        exchange_seconds=exchange_seconds,
        connections=connections,
    )
    await server.start()
    _REGISTRIES[server] = registry
    try:
        yield server
    finally:
        await server.close()
        del _REGISTRIES[server]


def refused(server: FastAgiServer, reason: str) -> float:
    found = _REGISTRIES[server].get_sample_value(
        "call_router_agi_refused_total", {"reason": reason}
    )
    return found or 0.0


async def exchange(server: FastAgiServer, sent: bytes, *, finish: bool = False) -> bytes:
    """Everything the server says to `sent`, until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    if finish:
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 3)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_one_command_and_the_end() -> None:
    """The whole command in one piece, then our end of file at once."""
    seen: list[Mapping[str, str]] = []

    async def handler(environment: Mapping[str, str]) -> bytes:
        seen.append(environment)
        return COMMAND

    async with serving(handler) as server:
        began = time.monotonic()

        assert await exchange(server, ENVIRONMENT) == COMMAND
        assert time.monotonic() - began < 0.2
    assert seen[0]["agi_arg_1"] == "74951234567"
    assert seen[0]["agi_callerid"] == "+79161234567"


@pytest.mark.parametrize("size", [1, 7, 50])
async def test_an_environment_in_pieces(size: int) -> None:
    """Segments end anywhere."""
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for start in range(0, len(ENVIRONMENT), size):
            writer.write(ENVIRONMENT[start : start + size])
            await asyncio.sleep(0)
        answer = await asyncio.wait_for(reader.read(), 2)
        writer.close()

    assert answer == COMMAND


async def test_a_name_that_is_not_utf8() -> None:
    """Bytes that are no characters are replaced; the call is answered."""
    seen: list[Mapping[str, str]] = []

    async def handler(environment: Mapping[str, str]) -> bytes:
        seen.append(environment)
        return COMMAND

    async with serving(handler) as server:
        await exchange(server, b"agi_calleridname: \xff\xfe\xd0\nagi_uniqueid: 1.0\n\n")

    assert seen[0]["agi_calleridname"] == "\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"agi_network: yes\nagi_x: \0\n\n", "NUL"),
        (b"x" * 1_000_000, "too many bytes"),
        (b"agi_a: " + b"x" * 9000 + b"\n\n", "too many bytes"),
        (b"".join(b"agi_%d: x\n" % n for n in range(150)) + b"\n", "too many lines"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "no variable"),
    ],
    ids=["NUL", "one line of 1 MB", "9 KB", "150 lines", "a browser"],
)
async def test_what_is_no_environment(sent: bytes, reason: str) -> None:
    """Closed at once, without a word, and counted; the next call is served."""
    async with serving() as server:
        began = time.monotonic()

        assert await exchange(server, sent) == b""
        assert time.monotonic() - began < 0.4
        assert refused(server, reason) == 1
        assert await exchange(server, ENVIRONMENT) == COMMAND


@pytest.mark.parametrize("sent", [b"", b"agi_network: yes\nagi_uni", b"\n"])
async def test_connect_and_close(sent: bytes) -> None:
    """A port scan, a health check, half a line: the loop goes on, nothing is left."""
    async with serving() as server:
        for _ in range(50):
            await exchange(server, sent, finish=True)
        await asyncio.sleep(0.05)

        assert server._open == {}
        assert await exchange(server, ENVIRONMENT) == COMMAND


async def test_silence_is_bounded() -> None:
    """Who sends nothing, or drips, has as long as the variables may take."""
    async with serving(header_seconds=0.2) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"a")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(), 0.05)
        writer.close()

        assert 0.1 < time.monotonic() - began < 0.6
        assert refused(server, "slow variables") == 1


async def test_a_handler_that_takes_too_long() -> None:
    """Asterisk goes on with its own route when we close."""

    async def never(environment: Mapping[str, str]) -> bytes:
        await asyncio.sleep(10)
        return COMMAND

    async with serving(never, exchange_seconds=0.2) as server:
        began = time.monotonic()

        assert await exchange(server, ENVIRONMENT) == b""
        assert 0.15 < time.monotonic() - began < 0.6
        assert refused(server, "slow answer") == 1


async def test_a_handler_that_fails() -> None:
    """Closed at once, one line in the log."""

    async def broken(environment: Mapping[str, str]) -> bytes:
        raise ZeroDivisionError

    async with serving(broken) as server:
        with structlog.testing.capture_logs() as logs:
            assert await exchange(server, ENVIRONMENT) == b""
        assert [log["event"] for log in logs] == ["FastAGI handler failed"]
        assert refused(server, "no answer") == 1


async def test_the_caller_hangs_up_meanwhile() -> None:
    """HANGUP lines and the end of file during the look-up: nothing is sent, nothing is left."""
    answering = asyncio.Event()

    async def slow(environment: Mapping[str, str]) -> bytes:
        answering.set()
        await asyncio.sleep(0.1)
        return COMMAND

    async with serving(slow) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(ENVIRONMENT)
        await answering.wait()
        writer.write(b"HANGUP\nHANGUP\n")
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 1) == b""
        writer.close()
        await asyncio.sleep(0.15)

        assert server._open == {}
        assert not server._tasks


async def test_a_peer_that_never_replies() -> None:
    """After the command it is closed soon, whatever Asterisk does."""
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(ENVIRONMENT)

        assert await reader.read() == COMMAND
        await asyncio.sleep(0.4)
        assert server._open == {}
        writer.close()


async def test_only_allowed_sources() -> None:
    """Whoever answers this port may run commands in Asterisk; who asks it is bounded, too."""
    async with serving(allow=(ipaddress.ip_network("192.0.2.0/24"),)) as server:
        assert await exchange(server, ENVIRONMENT) == b""
        assert refused(server, "source") == 1


async def test_two_thousand_idle_sockets() -> None:
    """They are bounded in number and in time, and a call in between is answered at once."""
    async with serving(connections=200, header_seconds=0.5) as server:
        idle: list[socket.socket] = []
        times: list[float] = []
        try:
            for n in range(2000):
                one = socket.socket()
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    one.connect(("127.0.0.1", server.port))
                idle.append(one)
                if n % 200 == 199:
                    began = time.monotonic()
                    assert await exchange(server, ENVIRONMENT) == COMMAND
                    times.append(time.monotonic() - began)
                    assert len(server._open) <= 200
            await asyncio.sleep(0.7)

            assert len(server._open) == 0
            assert sorted(times)[len(times) // 2] < 0.25
        finally:
            for one in idle:
                one.close()


async def test_a_stuck_loop_is_seen_from_outside() -> None:
    """While the loop computes, a thread closes what is overdue: Asterisk is not kept waiting."""

    async def stuck(environment: Mapping[str, str]) -> bytes:
        time.sleep(1.2)
        return COMMAND

    async with serving(stuck, exchange_seconds=0.2) as server:
        began = time.monotonic()
        seconds, answer = await asyncio.to_thread(_ask, server.port, began)

        assert answer == b""
        assert 0.2 < seconds < 0.9
        await asyncio.sleep(0.1)
        assert server._open == {}


def _ask(port: int, began: float) -> tuple[float, bytes]:
    """A peer in a thread of its own: when the answer ended, and what it was."""
    with socket.create_connection(("127.0.0.1", port), timeout=3) as peer:
        peer.sendall(ENVIRONMENT)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := peer.recv(4096):
                answer += piece
    return time.monotonic() - began, answer


async def test_many_at_once() -> None:
    """A hundred calls at the same time."""
    async with serving() as server:
        answers = await asyncio.gather(*(exchange(server, ENVIRONMENT) for _ in range(100)))

    assert set(answers) == {COMMAND}


async def test_closing_leaves_nothing() -> None:
    """A router that stops closes its connections; Asterisk takes its own routes."""
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.sleep(0.05)
        await server.close()
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 1) == b""
        writer.close()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_variables_or_refused(head: bytes) -> None:
    """The parser raises nothing else."""
    with contextlib.suppress(Refused):
        assert all(name.startswith("agi_") for name in parse(head))
