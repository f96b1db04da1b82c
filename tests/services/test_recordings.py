"""Recordings are found, measured, linked, and heard with the caller on the left."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import wave
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from router.domain.errors import NotFound
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.services.recordings import Recordings
from router.store.database import Database
from tests.services.calls_world import World, arrival, build, retold

S = timedelta(seconds=1)
DAY = Path("2026/11/23")


@pytest.fixture
async def world(database: Database) -> World:
    return await build(database)


@pytest.fixture
def recordings(world: World, tmp_path: Path) -> Recordings:
    metrics = CallMetrics(CollectorRegistry())
    return Recordings(world.database, world.live, metrics, tmp_path / "monitor")


def samples(seconds: float) -> bytes:
    """The company counts up on the left, the caller down on the right."""
    frames = int(seconds * 8000)
    return b"".join(struct.pack("<hh", n % 30000, -(n % 30000)) for n in range(frames))


def record(folder: Path, name: str, data: bytes, *, complete: bool = True) -> Path:
    file = folder / "monitor" / DAY / f"{name}.raw"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    if complete:
        file.with_suffix(".ok").touch()
    return file


async def ended_call(world: World, now: datetime, linkedid: str = "pbx1-1.0") -> datetime:
    """A call of 1.012 s of talk; returns when it ended."""
    await world.calls.arrive(arrival(linkedid), now)
    await world.calls.absorb(retold("answered", linkedid, now), source="ami", now=now)
    ended: datetime = (await world.call(linkedid))["ended_at"]
    return ended


async def test_a_recording_is_linked(
    world: World, recordings: Recordings, tmp_path: Path, now: datetime
) -> None:
    """Its length is its size: 32,000 bytes a second."""
    ended = await ended_call(world, now)
    record(tmp_path, "pbx1-1.0-pbx1-1.1", samples(1))
    with world.live.subscription() as feed:
        assert await recordings.collect(ended + S) == 1
        change = await feed.next(0)
    (row,) = await world.rows("SELECT path, bytes, duration_ms, truncated FROM recording")

    assert row == {
        "path": "2026/11/23/pbx1-1.0-pbx1-1.1.raw",
        "bytes": 32000,
        "duration_ms": 1000,
        "truncated": False,
    }
    assert change is not None
    assert change.change["recordings"] == 1
    assert await recordings.collect(ended + 2 * S) == 0


async def test_a_recording_without_its_marker_is_waited_for(
    world: World, recordings: Recordings, tmp_path: Path, now: datetime
) -> None:
    """For five seconds; then it counts as cut."""
    ended = await ended_call(world, now)
    file = record(tmp_path, "pbx1-1.0-pbx1-1.1", samples(1), complete=False)

    assert await recordings.collect(ended + S) == 0
    file.with_suffix(".ok").touch()
    assert await recordings.collect(ended + 2 * S) == 1
    assert await world.run("SELECT truncated FROM recording") is False


@pytest.mark.parametrize(
    ("data", "complete"),
    [(samples(1), False), (samples(1) + b"x", True), (samples(0.1)[:-2], True)],
    ids=["no marker", "half a frame", "much shorter than the talk"],
)
async def test_cut_recordings(
    world: World,
    recordings: Recordings,
    tmp_path: Path,
    now: datetime,
    data: bytes,
    complete: bool,
) -> None:
    """They are linked all the same, and marked."""
    ended = await ended_call(world, now)
    record(tmp_path, "pbx1-1.0-pbx1-1.1", data, complete=complete)

    assert await recordings.collect(ended + 10 * S) == 1
    assert await world.run("SELECT truncated FROM recording") is True


async def test_shorter_than_the_talk(
    world: World, recordings: Recordings, tmp_path: Path, now: datetime
) -> None:
    """A disk that was full: complete by its marker, but seconds are missing."""
    ended = await ended_call(world, now)
    await world.run("UPDATE call SET talk_ms = 9000")
    record(tmp_path, "pbx1-1.0-pbx1-1.1", samples(1))
    await recordings.collect(ended + S)

    assert await world.run("SELECT truncated FROM recording") is True


async def test_a_call_without_recording(
    world: World, recordings: Recordings, tmp_path: Path, now: datetime
) -> None:
    """Nothing was recorded, or only an empty file: looked for until 5 s after the end, then no more."""
    ended = await ended_call(world, now)
    record(tmp_path, "pbx1-1.0-pbx1-1.1", b"")
    waiting = "SELECT count(*) FROM call WHERE recordings_at IS NULL"
    await recordings.collect(ended + S)
    early = await world.run(waiting)
    await recordings.collect(ended + 6 * S)

    assert (early, await world.run(waiting)) == (1, 0)
    assert await world.run("SELECT count(*) FROM recording") == 0


@pytest.mark.parametrize(("wanted", "missing"), [(None, 1), (False, 0)])
async def test_a_recording_that_should_be_there_is_missed(
    world: World, recordings: Recordings, now: datetime, wanted: bool | None, missing: int
) -> None:
    """Counted and logged; not where recording is switched off."""
    await world.run("UPDATE number SET record = $1", wanted)
    ended = await ended_call(world, now)
    await recordings.collect(ended + 10 * S)

    assert recordings._metrics.recordings_missing._value.get() == missing


async def test_a_folder_that_cannot_be_read(
    world: World, recordings: Recordings, tmp_path: Path, now: datetime
) -> None:
    """It holds up no other call, and its own is looked at again: nobody says there was no recording."""
    day_before = await ended_call(world, now - 24 * 3600 * S, "pbx1-0.0")
    assert day_before < now
    folder = tmp_path / "monitor" / "2026/11/22"
    folder.parent.mkdir(parents=True)
    folder.write_text("a file stands for what is not readable as a folder")
    ended = await ended_call(world, now)
    record(tmp_path, "pbx1-1.0-pbx1-1.1", samples(1))
    waiting = "SELECT linkedid FROM call WHERE recordings_at IS NULL"

    assert await recordings.collect(ended + 10 * S) == 1
    assert await world.run(waiting) == "pbx1-0.0"
    folder.unlink()
    folder.mkdir()
    (folder / "pbx1-0.0-pbx1-0.1.raw").write_bytes(samples(1))
    assert await recordings.collect(ended + 11 * S) == 1
    assert await world.run(waiting) is None


async def test_another_calls_file_is_not_taken(
    world: World, recordings: Recordings, tmp_path: Path, now: datetime
) -> None:
    """pbx1-1.0 is not pbx1-1.01, and a star in an id matches nothing."""
    ended = await ended_call(world, now)
    record(tmp_path, "pbx1-1.01-pbx1-1.1", samples(1))
    await ended_call(world, now, "pbx1-*")

    assert await recordings.collect(ended + 6 * S) == 0


async def test_a_player_hears_the_caller_left(recordings: Recordings, tmp_path: Path) -> None:
    """A whole WAV file: left the caller, right the company."""
    record(tmp_path, "x", samples(0.5))
    found = await recordings.open_wav(f"{DAY}/x.raw")
    body = b"".join([piece async for piece in found.stream()])
    with wave.open(io.BytesIO(body)) as heard:
        parameters = heard.getparams()
        frames = heard.readframes(3)

    assert len(body) == found.size == 44 + 16000
    assert (parameters.nchannels, parameters.framerate, parameters.nframes) == (2, 8000, 4000)
    assert struct.unpack("<6h", frames) == (0, 0, -1, 1, -2, 2)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, 1),
        (0, 44),
        (43, 47),
        (44, 45),
        (46, 51),
        (100, 16044),
        (16043, 16044),
        (16044, None),
        (9, 9),
    ],
)
async def test_byte_ranges(
    recordings: Recordings, tmp_path: Path, start: int, end: int | None
) -> None:
    """Any part of it is the same bytes as in the whole."""
    record(tmp_path, "x", samples(0.5))
    found = await recordings.open_wav(f"{DAY}/x.raw")
    whole = b"".join([piece async for piece in found.stream()])

    assert b"".join([piece async for piece in found.stream(start, end)]) == whole[start:end]


async def test_a_long_recording_comes_in_pieces(recordings: Recordings, tmp_path: Path) -> None:
    """An hour of talk is not read into memory at once."""
    record(tmp_path, "x", os.urandom(300_000))
    found = await recordings.open_wav(f"{DAY}/x.raw")
    pieces = [piece async for piece in found.stream(7)]

    assert max(map(len, pieces)) <= 65536
    assert sum(map(len, pieces)) == found.size - 7


@pytest.mark.parametrize(
    "path",
    [
        "../secret.raw",
        "/etc/passwd",
        "2026/11/23/link.raw",
        "2026/11/23/x.ok",
        "none.raw",
        "a\0b",
        "",
    ],
)
async def test_nothing_outside_is_opened(recordings: Recordings, tmp_path: Path, path: str) -> None:
    """Not by dots, not from the root, not through a link, and only recordings."""
    record(tmp_path, "x", samples(0.1))
    (tmp_path / "secret.raw").write_bytes(b"secret")
    (tmp_path / "monitor" / DAY / "link.raw").symlink_to(tmp_path / "secret.raw")
    with pytest.raises(NotFound):
        await recordings.open_wav(path)


async def test_no_recordings_folder(world: World, now: datetime) -> None:
    """A router that cannot reach Asterisk's disk looks for nothing and opens nothing."""
    away = Recordings(world.database, Live(), CallMetrics(CollectorRegistry()), None)
    await ended_call(world, now)

    assert await away.collect(now + 60 * S) == 0
    with pytest.raises(NotFound):
        await away.open_wav("x.raw")


async def test_the_end_of_a_call_wakes_the_search(
    world: World,
    recordings: Recordings,
    tmp_path: Path,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits for the round that comes anyway."""
    monkeypatch.setattr("router.services.recordings.EVERY", 0.01)
    monkeypatch.setattr("router.services.recordings.SELDOM", 60)
    record(tmp_path, "pbx1-1.0-pbx1-1.1", samples(1))
    searching = asyncio.create_task(recordings.run(lambda: now + 100 * S))
    await asyncio.sleep(0.2)
    await ended_call(world, now)
    for _ in range(200):
        if await world.run("SELECT count(*) FROM recording"):
            break
        await asyncio.sleep(0.02)
    searching.cancel()

    assert await world.run("SELECT count(*) FROM recording") == 1
