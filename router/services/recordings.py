"""Recordings: found on Asterisk's disk after a call, measured, linked to it; opened as WAV for a player.

    <root>/YYYY/MM/DD/<linkedid>-<answering channel>.raw     samples
    <root>/YYYY/MM/DD/<linkedid>-<answering channel>.ok      made when the file is complete

`run` is a long-running task for the composition root.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import structlog

from router.domain import pcm
from router.domain.errors import NotFound, StoreUnavailable
from router.services.live import Change, Live
from router.services.metrics import CallMetrics
from router.store import recordings as store
from router.store.database import Database, deadline
from router.store.recordings import Linked, Unheard

log = structlog.get_logger(__name__)

EVERY = 1.0
# while no call of this router ends; those of other routers are found so, too
SELDOM = 10.0
PATIENCE = 30.0
# the marker is made some 13 ms after the end, on a busy disk later
GRACE = timedelta(seconds=5)
# what is missing of the talk in a recording that was cut
MISSING_MS = 1500
# a bridge shorter than this may leave nothing behind
HEARD_MS = 500
_AT_ONCE = 100
_CHUNK = 64 * 1024
_LINKEDID = re.compile(r"[A-Za-z0-9_.-]{1,150}")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A recording on disk. `path` is relative to the root."""

    path: str
    bytes: int
    duration_ms: int
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Wav:
    """A recording as a WAV file of `size` bytes: the caller left, the company right."""

    file: Path
    size: int

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes [start, end) of it, in pieces; a disk that hangs holds up nobody else."""
        end = self.size if end is None else min(end, self.size)
        if start < pcm.HEADER_BYTES and start < end:
            yield pcm.header(self.size - pcm.HEADER_BYTES)[start:end]
        position = max(start, pcm.HEADER_BYTES)
        if position >= end:
            return
        source = await asyncio.to_thread(self.file.open, "rb")
        try:
            while position < end:
                piece = await asyncio.to_thread(
                    _read, source, position, min(end, position + _CHUNK)
                )
                if not piece:
                    return
                yield piece
                position += len(piece)
        finally:
            await asyncio.to_thread(source.close)


def _read(source: BinaryIO, start: int, end: int) -> bytes:
    """Bytes [start, end) of the WAV's samples: whole frames are read, swapped, then cut."""
    first = start - pcm.HEADER_BYTES
    skipped = first % pcm.FRAME_BYTES
    source.seek(first - skipped)
    wanted = end - start + skipped
    frames = source.read(wanted + -wanted % pcm.FRAME_BYTES)
    return pcm.swapped(frames[: pcm.whole_frames(len(frames))])[skipped:wanted]


class Recordings:
    """`root` is Asterisk's recordings folder; None where this router cannot reach it."""

    def __init__(
        self, database: Database, live: Live, metrics: CallMetrics, root: Path | None
    ) -> None:
        self._database = database
        self._live = live
        self._metrics = metrics
        self._root = root
        self._left = 0
        self._ended = asyncio.Event()
        live.listen(self._told)

    def _told(self, change: Change) -> None:
        if change.change.get("state") == "ended":
            self._ended.set()

    async def open_wav(self, path: str) -> Wav:
        """The recording at `path`, relative to the root. Raises NotFound, for a path that leads out of the
        root as for a file that is not there."""
        return await asyncio.to_thread(self._open, path)

    def _open(self, path: str) -> Wav:
        if self._root is None or "\0" in path:
            raise NotFound
        file = (self._root / path).resolve()
        if not file.is_relative_to(self._root.resolve()) or file.suffix != ".raw":
            raise NotFound
        try:
            size = file.stat().st_size
        except OSError as error:
            raise NotFound from error
        return Wav(file=file, size=pcm.HEADER_BYTES + pcm.whole_frames(size))

    async def run(self, clock: Callable[[], datetime]) -> None:
        """Look for the recordings of calls that have ended; to be run for ever."""
        while True:
            self._ended.clear()
            try:
                await deadline(self.collect(clock()), PATIENCE, what="recordings")
            except (StoreUnavailable, OSError) as error:
                log.warning("recordings not looked for", error=str(error))
                self._left = 1
            if not self._left:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), SELDOM)
            # calls that end together are looked for together
            await asyncio.sleep(EVERY)

    async def collect(self, now: datetime) -> int:
        """Link what is found to calls that have ended. A call is looked at until all of its recordings are
        complete, or it ended 5 s ago. Returns how many recordings were linked."""
        if self._root is None:
            return 0
        linked, unread, reason = 0, 0, ""
        calls = await store.unheard(self._database.kept, now, _AT_ONCE)
        self._left = len(calls)
        for call in calls:
            try:
                found = await asyncio.to_thread(search, self._root, call.linkedid, call.arrived_at)
            except OSError as error:
                # one folder that cannot be read holds up no other call; this one is looked at again
                unread, reason = unread + 1, str(error)
                continue
            settled = bool(found) and all(one.complete for one in found)
            if settled or call.ended_at + GRACE <= now:
                await self._link(call, found, now)
                linked += len(found)
                # where there were as many as are taken at once there may be more
                self._left -= len(calls) < _AT_ONCE
        if unread:
            log.warning("recordings not looked for", calls=unread, error=reason)
        return linked

    async def _link(self, call: Unheard, found: list[Found], now: datetime) -> None:
        recorded = sum(one.duration_ms for one in found)
        short = call.talk_ms is not None and recorded < call.talk_ms - MISSING_MS
        linked = [
            Linked(
                path=one.path,
                size=one.bytes,
                duration_ms=one.duration_ms,
                truncated=not one.complete or one.bytes % pcm.FRAME_BYTES != 0 or short,
            )
            for one in found
        ]
        await store.link(self._database.kept, call.id, linked, now)
        for one in linked:
            self._metrics.recordings.inc(one.size)
            if one.truncated:
                self._metrics.recordings_truncated.inc()
                log.warning("recording cut", linkedid=call.linkedid, bytes=one.size)
        if not found and call.wanted and (call.talk_ms or 0) > HEARD_MS:
            self._metrics.recordings_missing.inc()
            log.warning("recording missing", linkedid=call.linkedid, ref=call.ref)
        self._live.publish(
            call.ref, {"recordings": len(found), "organisation_id": call.organisation_id}
        )


def search(root: Path, linkedid: str, arrived_at: datetime) -> list[Found]:
    """The recordings of one call; empty files of calls that were never bridged are none.

    The folder is the day of the call's arrival in UTC; around midnight a neighbour's. Raises OSError for one
    that cannot be read: that is not the same as holding nothing.
    """
    if _LINKEDID.fullmatch(linkedid) is None:
        return []
    found: list[Found] = []
    for day in sorted(
        {arrived_at - timedelta(minutes=1), arrived_at, arrived_at + timedelta(minutes=1)}
    ):
        folder = root / day.strftime("%Y/%m/%d")
        for file in _named(folder, f"{linkedid}-"):
            size = file.stat().st_size
            path = str(file.relative_to(root))
            if size == 0 or any(one.path == path for one in found):
                continue
            found.append(
                Found(
                    path=path,
                    bytes=size,
                    duration_ms=pcm.duration_ms(size),
                    complete=file.with_suffix(".ok").exists(),
                )
            )
    return found


def _named(folder: Path, prefix: str) -> list[Path]:
    """Raw files that begin so. Not by `Path.glob`: to that a folder it may not read is an empty one."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [
        folder / name for name in sorted(names) if name.startswith(prefix) and name.endswith(".raw")
    ]
