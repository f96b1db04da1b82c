"""Events become calls, in their order; after a login the live channels are compared."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from router.domain.errors import StoreUnavailable
from router.store.database import Database
from router.telephony.celfile import CelTailer
from router.telephony.link import AmiLink
from tests.services.calls_world import World, arrival, build
from tests.telephony.fake_ami import FakeAmi, fake_ami, listed
from tests.telephony.test_manager import until
from tests.transcripts.read import FOLDER, rows

S = timedelta(seconds=1)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


def clock() -> datetime:
    return datetime.now(UTC)


def ami_text(name: str) -> bytes:
    return (FOLDER / f"{name}.ami").read_bytes()


@asynccontextmanager
async def link(
    world: World, fake: FakeAmi, *, tailer: CelTailer | None = None
) -> AsyncIterator[AmiLink]:
    made = AmiLink(
        address=("127.0.0.1", fake.port),
        events_login=("ct-events", "a"),
        records_login=("ct-records", "b"),
        host="pbx1",
        calls=world.calls,
        clocks=world.clocks,
        metrics=world.calls._metrics,
        clock=clock,
        tailer=tailer,
        ping_seconds=0.2,
    )
    running = asyncio.create_task(made.run())
    try:
        await asyncio.wait_for(made.events.ready.wait(), 3)
        await asyncio.wait_for(made.records.ready.wait(), 3)
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def outcome(world: World, linkedid: str) -> Any:
    return await world.run("SELECT outcome FROM call WHERE linkedid = $1", linkedid)


async def ended(world: World, linkedid: str) -> None:
    for _ in range(300):
        if await outcome(world, linkedid) is not None:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the call did not end")


async def test_a_whole_call_over_ami(world: World) -> None:
    """As captured from Asterisk, byte by byte as it came, with everything else that AMI says."""
    events = rows("answered")
    linkedid = events[0].linkedid
    async with fake_ami() as fake, link(world, fake):
        await world.calls.arrive(arrival(linkedid), events[0].at)
        data = ami_text("answered")
        for start in range(0, len(data), 1000):
            await fake.say(data[start : start + 1000])
        await ended(world, linkedid)
    call = await world.call(linkedid)

    assert (call["outcome"], call["talk_ms"], call["decisions"]) == ("answered", 1012, 1)
    assert await world.run("SELECT count(*) FROM call_event") == len(events)


async def test_the_same_call_over_both_ways(world: World, tmp_path: Path) -> None:
    """AMI and the file tell it: one row, each event once, one line in the log."""
    events = rows("answered")
    linkedid = events[0].linkedid
    file = tmp_path / "cel.csv"
    file.write_bytes((FOLDER / "answered.csv").read_bytes())
    tailer = CelTailer(file, "pbx1", world.calls, world.calls._metrics, clock)
    with structlog.testing.capture_logs() as logs:
        async with fake_ami() as fake, link(world, fake):
            await world.calls.arrive(arrival(linkedid), events[0].at)
            await asyncio.gather(fake.say(ami_text("answered")), tailer.poll())
            await ended(world, linkedid)
            await asyncio.sleep(0.1)

    assert [log["event"] for log in logs].count("call") == 1
    assert await world.run("SELECT count(*) FROM call_event") == len(events)
    assert (await world.call(linkedid))["decisions"] == 1


async def test_events_wait_for_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be stored is stored when the database is back, nothing lost, nothing twice."""
    monkeypatch.setattr("router.telephony.link.RETRY_SECONDS", 0.05)
    real, failures = world.calls.absorb, iter(range(3))

    async def absorb(*arguments: Any, **named: Any) -> None:
        if next(failures, None) is not None:
            raise StoreUnavailable
        await real(*arguments, **named)

    monkeypatch.setattr(world.calls, "absorb", absorb)
    linkedid = rows("busy")[0].linkedid
    async with fake_ami() as fake, link(world, fake):
        await fake.say(ami_text("busy"))
        await ended(world, linkedid)

    assert await outcome(world, linkedid) == "busy"


async def test_one_bad_batch_stops_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours is logged; the events behind are handled."""
    real, failures = world.calls.absorb, iter(range(1))

    async def absorb(*arguments: Any, **named: Any) -> None:
        if next(failures, None) is not None:
            raise ZeroDivisionError
        await real(*arguments, **named)

    monkeypatch.setattr(world.calls, "absorb", absorb)
    linkedid = rows("busy")[0].linkedid
    with structlog.testing.capture_logs() as logs:
        async with fake_ami() as fake, link(world, fake):
            await fake.say(ami_text("answered"))
            await asyncio.sleep(0.3)
            await fake.say(ami_text("busy"))
            await ended(world, linkedid)

    assert "call events not stored" in [log["event"] for log in logs]


async def test_broken_events_are_passed_over(world: World) -> None:
    """An event without ids, with a cut extra, without a time."""
    linkedid = rows("busy")[0].linkedid
    broken = (
        b"Event: CEL\r\nEventName: HANGUP\r\n\r\n"
        b'Event: CEL\r\nEventName: X\r\nTimestamp: 1.0\r\nUniqueID: a\r\nLinkedID: a\r\nExtra: {"a\r\n\r\n'
        b"Event: CEL\r\nEventName: X\r\nUniqueID: a\r\nLinkedID: a\r\n\r\n"
    )
    async with fake_ami() as fake, link(world, fake):
        await fake.say(broken + ami_text("busy"))
        await ended(world, linkedid)

    assert await world.run("SELECT count(*) FROM call_event WHERE linkedid = 'a'") == 0


async def test_calls_that_ended_while_we_were_away(world: World) -> None:
    """After the login Asterisk names its channels; of the others ours are closed as lost."""
    now = clock()
    await world.calls.arrive(arrival("pbx1-1.0"), now - 60 * S)
    await world.calls.arrive(arrival("pbx1-2.0"), now - 60 * S)
    async with fake_ami() as fake:
        fake.timestamp = str(now.timestamp())
        fake.answers["CoreShowChannels"] = lambda action: listed(
            action,
            "CoreShowChannels",
            [{"event": "CoreShowChannel", "Uniqueid": "pbx1-2.0", "Linkedid": "pbx1-2.0"}],
        )
        async with link(world, fake):
            await ended(world, "pbx1-1.0")

    assert await outcome(world, "pbx1-1.0") == "lost"
    assert await outcome(world, "pbx1-2.0") is None


async def test_the_file_is_read_before_calls_are_given_up(world: World, tmp_path: Path) -> None:
    """A call that ended in order while we were away is not lost, not even for a moment."""
    events = rows("answered")
    linkedid = events[0].linkedid
    await world.calls.arrive(arrival(linkedid), clock() - 60 * S)
    file = tmp_path / "cel.csv"
    file.write_bytes((FOLDER / "answered.csv").read_bytes())
    tailer = CelTailer(file, "pbx1", world.calls, world.calls._metrics, clock, every=0.3)
    reading = asyncio.create_task(tailer.run())
    with world.live.subscription() as feed:
        async with fake_ami() as fake, link(world, fake, tailer=tailer):
            await ended(world, linkedid)
            await until(lambda: bool(fake.asked("CoreShowChannels")))
            await asyncio.sleep(0.7)
        told = [change.change.get("outcome") for _ in range(20) if (change := await feed.next(0))]
    reading.cancel()

    assert await outcome(world, linkedid) == "answered"
    assert "lost" not in told


async def test_readiness_tells_of_both_logins(world: World) -> None:
    """In words, with the skew of the clocks as a figure."""
    async with fake_ami() as fake, link(world, fake) as made:
        await until(lambda: world.clocks.asterisk != timedelta())
        good = await made.check()
        fake.silent = True
        fake.kick()
        await until(lambda: not made.records.ready.is_set())
        bad = await made.check()

    assert good.ok
    assert good.words == "AMI: events ready, records ready"
    assert "clock_skew_seconds" in good.figures
    assert not bad.ok


async def test_clocks_that_differ_are_said_once(world: World) -> None:
    """One warning, not one at each ping."""
    with structlog.testing.capture_logs() as logs:
        async with fake_ami() as fake, link(world, fake):
            await asyncio.sleep(0.7)

    warnings = [log for log in logs if log["event"] == "clocks differ"]
    assert len(warnings) == 1
    assert warnings[0]["clock"] == "asterisk"
