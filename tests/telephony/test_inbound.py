"""One arriving call, from Asterisk's question on a socket to the answer, and what is said when all is broken."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from router.store.database import Database
from router.telephony.fastagi import FastAgiServer
from router.telephony.inbound import Inbound
from tests.services.calls_world import World, build
from tests.telephony.test_manager import until

S = timedelta(seconds=1)


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database, patience=0.3)


@asynccontextmanager
async def routing(world: World) -> AsyncIterator[tuple[FastAgiServer, Inbound]]:
    inbound = Inbound(world.calls, world.calls._metrics, clock)
    server = FastAgiServer(
        ("127.0.0.1", 0),
        (ipaddress.ip_network("127.0.0.1/32"),),
        inbound,
        world.calls._metrics,
    )
    await server.start()
    healing = asyncio.create_task(inbound.run())
    try:
        yield server, inbound
    finally:
        healing.cancel()
        await server.close()


async def ask(server: FastAgiServer, linkedid: str = "pbx1-1.0", **variables: str) -> str:
    """What Asterisk would be told: the value of CT_R."""
    environment = {
        "agi_network": "yes",
        "agi_network_script": "route",
        "agi_uniqueid": linkedid,
        "agi_callerid": "+79161234567",
        "agi_arg_1": "74951234567",
        "agi_arg_2": "+74951234567",
        "agi_arg_3": "trunk1",
        **variables,
    }
    text = "".join(f"{name}: {value}\n" for name, value in environment.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(text.encode(errors="surrogateescape") + b"\n")
    said = (await asyncio.wait_for(reader.read(), 3)).decode()
    writer.close()
    if not said:
        return ""
    assert said.startswith('SET VARIABLE CT_R "')
    assert said.endswith('"\n')
    value = said[len('SET VARIABLE CT_R "') : -2]
    return value.replace('\\"', '"').replace("\\\\", "\\")


async def test_a_call_is_routed(world: World) -> None:
    """The line to ring, the name to show, the tags, and the call's ref, which is on record by then."""
    await world.visit(began=clock() - 60 * S, seen=clock(), campaign="весна 🎉")
    async with routing(world) as (server, _):
        answer = json.loads(await ask(server))

    assert answer["t"] == "PJSIP/company^25"
    assert answer["n"] == "google / cpc / весна 🎉 99%"
    assert (answer["hs"], answer["hx"]) == ("google", "reservation")
    assert answer["hp"] == "0.99"
    assert answer["ref"] == (await world.call("pbx1-1.0"))["ref"]


async def test_a_number_that_is_not_recorded(world: World) -> None:
    """Its pool says so."""
    async with routing(world) as (server, _):
        answer = json.loads(await ask(server, agi_arg_1="74951230500", agi_arg_2="+74951230500"))

    assert answer["rec"] == "0"


async def test_a_number_of_somebody_else(world: World) -> None:
    """The only case in which a caller is turned away."""
    async with routing(world) as (server, _):
        answer = json.loads(await ask(server, agi_arg_1="74957654321", agi_arg_2="+74957654321"))

    assert answer["code"] == "404"
    assert "t" not in answer


@pytest.mark.parametrize(
    "variables",
    [
        {"agi_callerid": "unknown"},
        {"agi_callerid": "\udcff\udcfe"},
        {"agi_callerid": "x" * 3000},
        {"agi_calleridname": '"; DROP TABLE call; --'},
        {"agi_arg_3": "никто"},
        {"agi_arg_2": "%2B74951234567;npdi"},
    ],
    ids=["hidden", "not UTF-8", "long", "a name", "unknown trunk", "raw"],
)
async def test_odd_callers_are_served_like_any_other(
    world: World, variables: dict[str, str]
) -> None:
    """Whoever calls one of our numbers reaches its line."""
    async with routing(world) as (server, _):
        assert json.loads(await ask(server, **variables))["t"] == "PJSIP/company^25"


async def test_another_script(world: World) -> None:
    """Only the dialplan's own question is answered."""
    async with routing(world) as (server, _):
        assert await ask(server, agi_network_script="other") == ""
        assert await ask(server, linkedid="") == ""


async def test_the_database_freezes(world: World) -> None:
    """The first call waits for the deadline, the next for nothing; when it is back, so are we."""
    pool = world.database._pool
    async with pool.acquire() as connection, routing(world) as (server, inbound):
        await ask(server, "pbx1-0.0")
        await world.calls.settled()
        async with connection.transaction():
            await connection.execute("LOCK TABLE number, call")
            began = time.monotonic()
            first = await ask(server, "pbx1-1.0")
            between = time.monotonic()
            second = await ask(server, "pbx1-2.0")
            ended = time.monotonic()

        assert (first, second) == ("{}", "{}")
        assert between - began < 0.7
        assert ended - between < 0.1
        await until(lambda: not inbound._broken.is_set())
        assert json.loads(await ask(server, "pbx1-3.0"))["t"]


async def test_an_error_of_ours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logged, and the call takes Asterisk's own route; the breaker stays shut."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with routing(world) as (server, inbound):
        with monkeypatch.context() as patched:
            patched.setattr(world.calls, "arrive", broken)

            assert await ask(server, "pbx1-1.0") == "{}"
        assert not inbound._broken.is_set()
        assert json.loads(await ask(server, "pbx1-2.0"))["t"]
