"""Asterisk's file of call events, read as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from router.domain.errors import StoreUnavailable
from router.domain.model import CallEvent
from router.services.calls import Position
from router.store.database import Database
from router.telephony import cel, celfile
from router.telephony.celfile import CHUNK, CelTailer
from tests.services.calls_world import World, build
from tests.transcripts.read import FOLDER, rows

ANSWERED = (FOLDER / "answered.csv").read_bytes()
BUSY = (FOLDER / "busy.csv").read_bytes()


def clock() -> datetime:
    return datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cel.csv"


def tailer(world: World, file: Path) -> CelTailer:
    return CelTailer(file, "pbx1", world.calls, world.calls._metrics, clock)


async def drain(reader: CelTailer) -> None:
    while await reader.poll():
        pass


async def stored(world: World) -> int:
    count: int = await world.run("SELECT count(*) FROM call_event")
    return count


async def test_a_file_that_does_not_exist_yet(world: World, file: Path) -> None:
    """Asterisk makes it with its first call."""
    reader = tailer(world, file)
    await drain(reader)
    file.write_bytes(ANSWERED)
    await drain(reader)

    assert await stored(world) == len(rows("answered"))


@pytest.mark.parametrize("step", [1, 100, 1000])
async def test_a_file_that_grows(world: World, file: Path, step: int) -> None:
    """A line whose end is not there yet waits for it."""
    reader = tailer(world, file)
    file.touch()
    await drain(reader)
    steps = range(0, len(ANSWERED), step)
    for start in [*steps[:: max(1, len(steps) // 60)], len(ANSWERED)]:
        file.write_bytes(ANSWERED[: start or 1])
        await drain(reader)

    assert await stored(world) == len(rows("answered"))
    assert await world.run("SELECT outcome FROM call") == "answered"
    assert world.registry.get_sample_value("call_router_cel_rows_broken_total") == 0


async def test_a_new_router_goes_on_where_the_old_one_was(world: World, file: Path) -> None:
    """The place is kept in the database; no row is read twice, none is left out."""
    file.write_bytes(ANSWERED)
    await drain(tailer(world, file))
    place = await world.calls.position("pbx1")
    with file.open("ab") as more:
        more.write(BUSY)
    read: list[CallEvent] = []
    second = tailer(world, file)
    await _spied(world, read)
    await drain(second)

    assert place is not None
    assert place == Position(
        host="pbx1", inode=file.stat().st_ino, head=place.head, read_bytes=len(ANSWERED)
    )
    assert len(read) == len(rows("busy"))
    assert await stored(world) == len(rows("answered")) + len(rows("busy"))


async def _spied(world: World, read: list[CallEvent]) -> None:
    real = world.calls.absorb

    async def absorb(
        events: Sequence[CallEvent], *, source: str, now: datetime, position: Position | None = None
    ) -> None:
        read.extend(events)
        await real(events, source=source, now=now, position=position)

    world.calls.absorb = absorb  # type: ignore[method-assign]


@pytest.mark.parametrize("restarted", [False, True])
async def test_rotation_by_rename(world: World, file: Path, restarted: bool) -> None:
    """The renamed file is read to its end before the new one is begun, also by a new router."""
    reader = tailer(world, file)
    half = ANSWERED.rfind(b"\n", 0, len(ANSWERED) // 2) + 1
    file.write_bytes(ANSWERED[:half])
    await drain(reader)
    with file.open("ab") as more:
        more.write(ANSWERED[half:])
    file.rename(file.with_name("cel.csv.1"))
    file.write_bytes(BUSY)
    await drain(tailer(world, file) if restarted else reader)

    assert await stored(world) == len(rows("answered")) + len(rows("busy"))


async def test_a_renamed_file_with_a_torn_line(world: World, file: Path) -> None:
    """Nobody will write its end: it is given up, and the new file is read."""
    reader = tailer(world, file)
    file.write_bytes(ANSWERED + b'"1795448482.1","HANG')
    await drain(reader)
    file.rename(file.with_name("cel.csv.1"))
    file.write_bytes(BUSY)
    await drain(reader)

    assert await world.run("SELECT count(*) FROM call WHERE outcome = 'busy'") == 1


async def test_a_file_that_was_emptied(world: World, file: Path) -> None:
    """Shorter than what was read: begun anew."""
    reader = tailer(world, file)
    file.write_bytes(ANSWERED + ANSWERED)
    await drain(reader)
    file.write_bytes(BUSY)
    await drain(reader)

    assert await world.run("SELECT count(*) FROM call WHERE outcome = 'busy'") == 1


async def test_a_deleted_file(world: World, file: Path) -> None:
    """Somebody cleaned up: the next one is read from its beginning."""
    reader = tailer(world, file)
    file.write_bytes(ANSWERED)
    await drain(reader)
    file.unlink()
    await drain(reader)
    file.with_name("other").write_bytes(b"takes the inode")
    file.write_bytes(BUSY)
    await drain(reader)

    assert await world.run("SELECT count(*) FROM call WHERE outcome = 'busy'") == 1


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_inode_used_again(world: World, file: Path, restarted: bool) -> None:
    """The new file may well be longer than what was read of the old one: no row of it is passed over."""
    reader = tailer(world, file)
    file.write_bytes(BUSY)
    await drain(reader)
    # the same inode, as after a file was deleted and the next one was made
    file.write_bytes(ANSWERED + ANSWERED)
    await drain(tailer(world, file) if restarted else reader)

    assert await stored(world) == len(rows("answered")) + len(rows("busy"))
    assert await world.run("SELECT count(*) FROM call WHERE outcome = 'answered'") == 1


async def test_the_old_inode_is_another_files(world: World, file: Path) -> None:
    """What happens to have the inode of the file that was deleted is not read in its place."""
    reader = tailer(world, file)
    file.write_bytes(BUSY)
    await drain(reader)
    file.rename(file.with_name("notes"))
    file.with_name("notes").write_bytes(b"a note of somebody\n" * 200)
    file.write_bytes(ANSWERED)
    await drain(reader)

    assert await stored(world) == len(rows("answered")) + len(rows("busy"))
    assert world.registry.get_sample_value("call_router_cel_rows_broken_total") == 0


async def test_a_place_without_a_head(world: World, file: Path) -> None:
    """Noted before files had one: its inode is believed, and no row is read again."""
    file.write_bytes(ANSWERED)
    await drain(tailer(world, file))
    await world.run("UPDATE cel_position SET head = ''")
    with file.open("ab") as more:
        more.write(BUSY)
    read: list[CallEvent] = []
    await _spied(world, read)
    await drain(tailer(world, file))

    assert len(read) == len(rows("busy"))
    assert await world.run("SELECT head FROM cel_position") != ""


async def test_woken_readers_look_seldom_of_their_own(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as somebody wakes them; what comes without that is found, and looked for again more often."""
    monkeypatch.setattr(celfile, "WOKEN_EVERY", 0.5)
    reader = CelTailer(file, "pbx1", world.calls, world.calls._metrics, clock, every=0.02)
    polls = 0
    poll = reader.poll

    async def counted() -> bool:
        nonlocal polls
        polls += 1
        return await poll()

    monkeypatch.setattr(reader, "poll", counted)

    async def written(data: bytes, count: int) -> None:
        with file.open("ab") as more:
            more.write(data)
        while await stored(world) < count:
            await asyncio.sleep(0.01)

    async def polls_in(seconds: float) -> int:
        before = polls
        await asyncio.sleep(seconds)
        return polls - before

    reading = asyncio.create_task(reader.run())
    await asyncio.sleep(0.1)
    reader.wake()
    await written(ANSWERED, len(rows("answered")))
    calm = await polls_in(0.4)
    await written(BUSY, len(rows("answered")) + len(rows("busy")))
    busy = await polls_in(0.4)
    reading.cancel()

    assert calm <= 2
    assert busy > calm


BROKEN = [
    b"\n",
    b'"torn","HANGUP"1795448481.5","X","","a","a","","","","",""\n',
    b'"x","CHAN_START","","a","a","","","","",""\n',
    b'"1.0","CHAN_START","","","","","","","",""\n',
    b'"1.0","HANGUP","","a","a","","","","","{""hangupcause"":1"\n',
    b'"99999999999999.0","HANGUP","","a","a","","","","",""\n',
    b"\xff\xfe\x00\x01,,,\n",
    b'"1.0","HANGUP","","' + b"a" * 5000 + b'","a","","","","",""\n',
]


async def test_broken_rows_are_counted_and_passed_over(world: World, file: Path) -> None:
    """What is around them is read; one line in the log says how many they were."""
    file.write_bytes(b"".join(BROKEN) + ANSWERED)
    with structlog.testing.capture_logs() as logs:
        await drain(tailer(world, file))
    (line,) = [log for log in logs if log["event"] == "call event rows not read"]

    assert line["count"] == len(BROKEN)
    assert await stored(world) == len(rows("answered"))
    assert world.registry.get_sample_value("call_router_cel_rows_broken_total") == len(BROKEN)


async def test_a_line_without_end(world: World, file: Path) -> None:
    """Longer than any row: passed over, not kept in memory."""
    file.write_bytes(b"x" * (CHUNK * 2 + 5) + b"\n" + ANSWERED)
    await drain(tailer(world, file))

    assert await stored(world) == len(rows("answered"))


async def test_many_rows_at_once(world: World, file: Path) -> None:
    """A day's file of a router that was away is read in pieces."""
    names = ("answered", "busy", "cancelled", "failsafe_number")
    whole = b"".join((FOLDER / f"{name}.csv").read_bytes() for name in names)
    file.write_bytes(whole * (CHUNK * 2 // len(whole)))
    reader = tailer(world, file)

    assert await reader.poll()
    await drain(reader)
    assert await world.run("SELECT count(*) FROM call WHERE state = 'ended'") == len(names)


async def test_the_database_away(world: World, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be stored is read again."""
    file.write_bytes(ANSWERED)
    reader = tailer(world, file)

    async def away(*_arguments: object, **_named: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(world.calls, "absorb", away)
        with pytest.raises(StoreUnavailable):
            await reader.poll()
    await drain(reader)

    assert await stored(world) == len(rows("answered"))


async def test_one_call_that_cannot_be_stored(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is said and left out; it holds up neither the others nor the file."""
    real, bad = world.calls.absorb, rows("busy")[0].linkedid

    async def absorb(
        events: Sequence[CallEvent], *, source: str, now: datetime, position: Position | None = None
    ) -> None:
        if any(event.linkedid == bad for event in events):
            raise ZeroDivisionError
        await real(events, source=source, now=now, position=position)

    monkeypatch.setattr(world.calls, "absorb", absorb)
    file.write_bytes(BUSY + ANSWERED)
    with structlog.testing.capture_logs() as logs:
        await drain(tailer(world, file))
    place = await world.calls.position("pbx1")

    assert await stored(world) == len(rows("answered"))
    assert place is not None
    assert place.read_bytes == len(BUSY + ANSWERED)
    assert [
        log.get("linkedid") for log in logs if log["event"] == "call event rows not stored"
    ] == [bad]


TEXT = st.text(st.characters(), max_size=60)


@given(st.lists(TEXT | st.just('{"extra":"a=\\ud800&b=\\u0000"}'), min_size=10, max_size=10))
def test_any_ten_fields(fields: list[str]) -> None:
    """An event that PostgreSQL can store, or BrokenRow, nothing else."""
    try:
        event = cel.from_csv(fields)
    except cel.BrokenRow:
        return

    said = "".join([*event.data.values(), *event.data])
    assert "\0" not in event.linkedid + event.kind + said
    assert said.encode().decode() == said
    assert len(event.digest) == 16
