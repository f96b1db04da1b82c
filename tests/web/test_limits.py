"""How often, how many, how slow: what the listeners bear."""

from __future__ import annotations

import asyncio
import contextlib
import time
from ipaddress import ip_network

import pytest
from multidict import CIMultiDict

from router.store.database import Database
from router.web import throttle as throttle_module
from router.web.guard import Bounds
from router.web.throttle import Limits, Throttle, TooMany, client_address, network_of
from tests.web.conftest import BROWSER, ORIGIN, SITE, Clock, Web, serving

VISIT = {"site": SITE, "url": f"{ORIGIN}/"}


async def statuses(web: Web, count: int, **headers: str) -> list[int]:
    found = []
    for _ in range(count):
        async with web.post("/v1/visits", VISIT, headers=headers) as answer:
            found.append(answer.status)
            if answer.status == 429:
                assert 1 <= int(answer.headers["Retry-After"]) <= 120
                assert (await answer.json())["error"] == "too_many_requests"
    return found


async def test_a_network_asks_so_often_and_no_more(company: Database, clock: Clock) -> None:
    """Its heartbeats go on; who is behind a proxy we trust is told apart, who only says so is not."""
    limits = Limits(network_visits=3)
    async with serving(company, clock, limits=limits) as web:
        direct = await statuses(web, 5, **{"X-Forwarded-For": "203.0.113.5"})
        leave = {"site": SITE, "session": "7b0d8f52-6a4e-4f0e-9a0f-0f6f1f3c2a11", "kind": "hide"}
        async with web.post("/v1/leaves", leave) as answer:
            assert (answer.status, (await answer.json())["error"]) == (404, "unknown_session")
    async with serving(company, clock, limits=limits, trusted="127.0.0.1") as web:
        first = await statuses(web, 4, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.5"})
        neighbour = await statuses(web, 1, **{"X-Forwarded-For": "203.0.113.99"})
        other = await statuses(web, 1, **{"X-Forwarded-For": "198.51.100.1"})
        own_line = [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "203.0.113.5")]
        asked = [("Origin", ORIGIN), ("User-Agent", BROWSER), *own_line]
        async with web.client.post(
            web.public_url + "/v1/visits", json=VISIT, headers=CIMultiDict(asked)
        ) as answer:
            below = answer.status

    assert direct == [200, 200, 200, 429, 429]
    assert first == [200, 200, 200, 429]
    assert (neighbour, other) == ([429], [200])
    assert below == 429, "the line that the proxy added was not read"


async def test_a_site_is_asked_for_so_often_and_no_more(company: Database, clock: Clock) -> None:
    """From however many networks."""
    limits = Limits(site_visits=3)
    async with serving(company, clock, limits=limits, trusted="127.0.0.1") as web:
        found = [
            (await statuses(web, 1, **{"X-Forwarded-For": f"203.0.{i}.1"}))[0] for i in range(5)
        ]

    assert found == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "1.2.3.4:5678", "1.2.3.4"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "1.2.3.4, nonsense", "10.0.0.1"),
        (None, "1.2.3.4", ""),
    ],
)
def test_only_trusted_proxies_say_who_asks(
    peer: str | None, forwarded: str | None, address: str
) -> None:
    """What a client wrote itself into X-Forwarded-For stands further left and is not looked at."""
    assert client_address(peer, forwarded, (ip_network("10.0.0.0/8"),)) == address


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("", ""),
    ],
)
def test_networks(address: str, network: str) -> None:
    """A /24, a /56."""
    assert network_of(address) == network


def test_the_limiter_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters end by themselves, and there are never more than so many."""
    monkeypatch.setattr(throttle_module, "KEYS_AT_MOST", 100)
    throttle = Throttle(Limits(network_visits=2))
    for i in range(1000):
        throttle.visit(f"network-{i}")
    counters = throttle._window.storage
    for _ in range(2):
        throttle.visit("mine")
    with pytest.raises(TooMany):
        throttle.visit("mine")
    later = time.time() + 180
    monkeypatch.setattr(time, "time", lambda: later)
    throttle.visit("mine")

    assert len(counters) == 1


def test_many_networks_slow_nobody_down() -> None:
    """A hit costs the same with a hundred thousand others about."""
    throttle = Throttle()

    def best_of(rounds: int) -> float:
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            for i in range(100):
                throttle.signal(f"few-{i % 10}")
            times.append(time.perf_counter() - began)
        return min(times)

    alone = best_of(20)
    for i in range(100_000):
        throttle.signal(f"network-{i}")

    assert best_of(20) < alone * 5


async def read_to_end(reader: asyncio.StreamReader) -> float:
    """Seconds until the other side closes."""
    began = time.monotonic()
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 5)
    return time.monotonic() - began


async def test_silent_and_dripping_connections_are_closed(company: Database, clock: Clock) -> None:
    """Nothing, half a head, a head byte by byte, half a body: none holds a connection for long."""
    async with serving(company, clock, bounds=Bounds(head_seconds=0.4)) as web:

        async def connect(sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", web.public.port)
            writer.write(sent)
            return reader, writer

        silent, half = await connect(b""), await connect(b"POST /v1/visits HTTP/1.1\r\nHo")
        dripping = await connect(b"GET / HT")

        async def drip() -> None:
            while not dripping[1].is_closing():
                dripping[1].write(b"T")
                await asyncio.sleep(0.1)

        dripper = asyncio.create_task(drip())
        closed = await asyncio.gather(*(read_to_end(c[0]) for c in (silent, half, dripping)))
        dripper.cancel()
        alive = (await web.visit())["how"]
        for _, writer in (silent, half, dripping):
            writer.close()

    assert max(closed) < 3
    assert alive == "free"


async def test_half_a_body_is_not_waited_for(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """408 within the deadline, and the connection ends."""
    from router.web import collect

    monkeypatch.setattr(collect, "BODY_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", web.public.port)
    writer.write(
        b"POST /v1/visits HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\n"
        b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer


async def test_idle_connections_make_room(company: Database, clock: Clock) -> None:
    """At the cap the one idle longest goes; whoever comes is served."""
    async with serving(company, clock, bounds=Bounds(connections=10, per_address=1000)) as web:
        idle = [await asyncio.open_connection("127.0.0.1", web.public.port) for _ in range(30)]
        served = [(await web.visit())["how"] for _ in range(3)]
        assert web.public.guard is not None
        assert len(web.public.guard) <= 10
        assert web.public.guard.refused >= 20
        for _, writer in idle:
            writer.close()

    assert served == ["free"] * 3


async def test_one_address_takes_its_share_only(company: Database, clock: Clock) -> None:
    """Unless it is a proxy's."""
    bounds = Bounds(connections=100, per_address=5)
    async with serving(company, clock, bounds=bounds) as web:
        opened = [await asyncio.open_connection("127.0.0.1", web.public.port) for _ in range(20)]
        await asyncio.sleep(0.1)
        assert web.public.guard is not None
        assert len(web.public.guard) == 5
        for _, writer in opened:
            writer.close()


async def test_heads_that_are_none(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    """Too large, smuggled or no HTTP at all: an error, the next request is served, and whoever sends
    such things cannot fill the log."""
    for sent in (
        b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
        b"POST /v1/visits HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"AGI /route\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", web.public.port)
        writer.write(sent)
        answer = await asyncio.wait_for(reader.read(200), 5)
        writer.close()
        assert answer.startswith(b"HTTP/1.") and b" 4" in answer[:14], (sent[:40], answer)  # noqa: PT018

    assert (await web.visit())["how"] == "free"
    assert caplog.records == []
