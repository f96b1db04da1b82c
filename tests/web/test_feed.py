"""The live feed: who hears what, and when it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from router.services.live import SUBSCRIBERS_AT_MOST, WAITING_AT_MOST, Live
from router.web import feed as feed_module
from tests.web.conftest import Web


class Events:
    """Reads server-sent events one by one."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> dict[str, Any]:
        """The next event, comments passed over; {} at the end."""
        event: dict[str, Any] = {}
        while True:
            line = (await asyncio.wait_for(self.answer.content.readline(), 5)).decode()
            if not line:
                return {}
            line = line.rstrip("\r\n")
            if not line and event:
                return event
            name, _, value = line.partition(": ")
            if name == "data":
                event["data"] = json.loads(value)
            elif name:
                event[name] = value


@asynccontextmanager
async def listening(web: Web, **headers: str) -> AsyncIterator[Events]:
    async with web.get("/v1/feed", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        events = Events(answer)
        assert (await events.next())["event"] == "hello"
        yield events


@pytest.fixture
async def organisation_id(web: Web) -> int:
    identity: int = await web.database._pool.fetchval("SELECT id FROM organisation")
    return identity


async def test_a_change_is_heard_by_its_organisation(web: Web, organisation_id: int) -> None:
    """And by nobody else; a line break in a value is no event of its own."""
    async with listening(web) as events:
        for who, words in (
            (organisation_id + 1, "x"),
            (None, "x"),
            (organisation_id, "a\n\ndata: b"),
        ):
            web.parts.live.publish("ref-1", {"state": words, "organisation_id": who})
        event = await events.next()

    assert event["event"] == "call"
    assert event["data"] == {"ref": "ref-1", "change": {"state": "a\n\ndata: b"}}
    assert event["id"] == "3"


async def test_who_comes_back_starts_anew(web: Web) -> None:
    """A Last-Event-ID, even a senseless one, is taken; the reader then reads the list."""
    for sent in ("7", "x" * 300):
        async with listening(web, **{"Last-Event-ID": sent}):
            pass


async def test_a_quiet_feed_ticks(
    web: Web, monkeypatch: pytest.MonkeyPatch, organisation_id: int
) -> None:
    """So that its reader can tell quiet from dead; and a revoked token ends it."""
    monkeypatch.setattr(feed_module, "PING_SECONDS", 0.1)
    async with listening(web) as events:
        ticks = [(await events.next())["event"] for _ in range(2)]
        await web.parts.access.revoke_token("tests", actor="test", now=web.clock.now)
        rest = [await events.next() for _ in range(3)]

    assert ticks == ["tick", "tick"]
    assert rest[-1] == {}


async def test_a_busy_feed_ends_with_its_token(
    web: Web, monkeypatch: pytest.MonkeyPatch, organisation_id: int
) -> None:
    """Changes that never pause leave no time to forget who may hear them."""
    monkeypatch.setattr(feed_module, "PING_SECONDS", 0.2)

    async def ring() -> None:
        while True:
            web.parts.live.publish("ref", {"organisation_id": organisation_id})
            await asyncio.sleep(0.02)

    ringing = asyncio.create_task(ring())
    try:
        async with listening(web) as events:
            heard = {(await events.next())["event"] for _ in range(25)}
            await web.parts.access.revoke_token("tests", actor="test", now=web.clock.now)
            async with asyncio.timeout(3):
                while await events.next():
                    pass
    finally:
        ringing.cancel()

    assert heard == {"call", "tick"}


async def test_a_feed_of_one_who_left_is_forgotten(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the next tick at the latest."""
    monkeypatch.setattr(feed_module, "PING_SECONDS", 0.1)
    async with listening(web), listening(web):
        assert web.parts.live.subscribers == 2
    for _ in range(50):
        if web.parts.live.subscribers == 0:
            break
        await asyncio.sleep(0.05)

    assert web.parts.live.subscribers == 0


async def test_feeds_end_when_the_router_stops(web: Web) -> None:
    """At once, instead of holding up its end."""
    async with listening(web) as events:
        web.parts.live.close()
        assert await events.next() == {}


async def test_too_many_feeds_are_refused(web: Web) -> None:
    """503, try again."""
    opened = [web.parts.live.subscription() for _ in range(SUBSCRIBERS_AT_MOST)]
    for subscription in opened:
        subscription.__enter__()
    async with web.get("/v1/feed") as answer:
        assert (answer.status, (await answer.json())["error"]) == (503, "too_many_feeds")
    for subscription in opened:
        subscription.__exit__(None, None, None)


async def test_a_slow_subscriber_is_dropped() -> None:
    """The publisher never waits; what was heard before is still read, then it ends."""
    live = Live()
    with live.subscription() as slow:
        for i in range(WAITING_AT_MOST + 5):
            live.publish(f"ref-{i}", {})
        read = [await slow.next(1) for _ in range(WAITING_AT_MOST + 1)]

        assert live.subscribers == 0
    assert [change.ref for change in read if change] == [f"ref-{i}" for i in range(WAITING_AT_MOST)]
    assert read[-1] is None
    assert slow.ended


async def test_changes_are_numbered_in_order() -> None:
    """Each subscriber hears all of them in the order they were told."""
    live = Live()
    heard: list[int] = []

    async def reader() -> None:
        heard.extend([change.number async for change in live.subscribe()])

    readers = [asyncio.create_task(reader()) for _ in range(3)]
    await asyncio.sleep(0)
    for _ in range(5):
        live.publish("ref", {})
        await asyncio.sleep(0)
    live.close()
    await asyncio.wait_for(asyncio.gather(*readers), 2)

    assert heard == [1, 2, 3, 4, 5] * 3
