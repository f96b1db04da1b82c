"""Reads Asterisk's file of call events as it grows: the truth about calls, whoever was away.

The place reached (host, file, bytes) is stored after the rows, with what they say of their calls; and each
row is stored once. So a crash loses no row and counts none twice. A file that was renamed is read to its end
before the new one is begun. A last line without its end waits; a row that cannot be read is counted and
passed over.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog

from router.domain.errors import StoreUnavailable
from router.domain.model import CallEvent
from router.services.calls import Calls, Position
from router.services.metrics import CallMetrics
from router.services.readiness import Check
from router.telephony import cel

log = structlog.get_logger(__name__)

EVERY = 0.5
# where somebody says when there is something new
WOKEN_EVERY = 2.0
# longer than AMI rests between bunches of events (manager.QUIET_SECONDS): one bunch is one round
GATHER_SECONDS = 0.12
# As the writer makes rows: every field quoted, quotes inside doubled. A line break that somebody smuggled
# into a field leaves lines of another form, so no row can be forged by what a field holds.
_ROW = re.compile(r'"(?:[^"]|"")*"(?:,"(?:[^"]|"")*")*')
CHUNK = 256 * 1024
HEAD_BYTES = 1024


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """Bytes of a file from where it was left, and whether they reach its end. `head` is the hash of the
    file's first line, empty while that has no end."""

    inode: int
    head: str
    start: int
    data: bytes
    at_end: bool


class CelTailer:
    """One for each Asterisk whose file this router can read. `run` is a long-running task."""

    def __init__(
        self,
        path: Path,
        host: str,
        calls: Calls,
        metrics: CallMetrics,
        clock: Callable[[], datetime],
        *,
        every: float = EVERY,
    ) -> None:
        self._path = path
        self._host = host
        self._calls = calls
        self._metrics = metrics
        self._clock = clock
        self._every = every
        self._position: Position | None = None
        self._known = False
        self._problem = ""
        self._ends = 0
        self._ended = asyncio.Condition()
        self._woken = asyncio.Event()

    @property
    def well(self) -> bool:
        """The file could be read when it was tried last."""
        return not self._problem

    def wake(self) -> None:
        """Something was written, or will be in a moment: do not wait for the next round."""
        self._woken.set()

    async def run(self) -> None:
        """Read for ever."""
        every, woken = self._every, False
        while True:
            before = self._position
            try:
                while await self.poll():
                    pass
                self._problem = ""
            except (StoreUnavailable, OSError) as error:
                if not self._problem:
                    log.warning("call event file not read", path=str(self._path), reason=str(error))
                self._problem = str(error)
            except Exception:
                log.exception("call event file not read", path=str(self._path))
                self._problem = "see the log"
            if self._position != before or self._problem:
                # where it was not woken for them, it is not going to be for the next ones
                every = WOKEN_EVERY if woken else self._every
            try:
                await asyncio.wait_for(self._woken.wait(), every)
                # rows of one call come in bunches: one commit for a bunch
                await asyncio.sleep(GATHER_SECONDS)
                await self._calls.at_rest()
                woken = True
            except TimeoutError:
                woken = False
            self._woken.clear()

    async def check(self) -> Check:
        """For readiness: is the file being read?"""
        return Check(ok=not self._problem, words=self._problem or f"reading {self._path.name}")

    async def read_to_end(self, seconds: float) -> bool:
        """True once the file was read to its end after this was asked."""
        try:
            async with asyncio.timeout(seconds), self._ended:
                # the poll in progress may have read before; the one after it has not
                wanted = self._ends + 2
                await self._ended.wait_for(lambda: self._ends >= wanted)
        except TimeoutError:
            return False
        return True

    async def poll(self) -> bool:
        """Take in the next piece. True if there is more. Raises StoreUnavailable, OSError."""
        if not self._known:
            self._position = await self._calls.position(self._host)
            self._known = True
        piece = await asyncio.to_thread(_next_piece, self._path, self._position)
        if piece is None:
            await self._at_end()
            return False
        whole = piece.data.rfind(b"\n") + 1
        if whole == 0 and len(piece.data) >= CHUNK:
            log.warning("call event file: a line without end", bytes=len(piece.data))
            whole = len(piece.data)
        read = piece.start + whole
        position = Position(
            host=self._host, inode=piece.inode, head=piece.head if read else "", read_bytes=read
        )
        if position != self._position:
            await self._take_in(self._events(piece.data[:whole]), position)
            self._position = position
        if piece.at_end:
            await self._at_end()
        return not piece.at_end

    async def _take_in(self, events: list[CallEvent], position: Position) -> None:
        """Rows and place in one commit; calls that cannot be stored are left out, and said."""
        try:
            await self._absorb(events, position)
            return
        except (StoreUnavailable, OSError):
            raise
        except Exception:
            log.exception("call event rows not stored together", count=len(events))
        by_call: dict[str, list[CallEvent]] = {}
        for event in events:
            by_call.setdefault(event.linkedid, []).append(event)
        for linkedid, those in by_call.items():
            try:
                await self._absorb(those, None)
            except (StoreUnavailable, OSError):
                raise
            except Exception:
                log.exception("call event rows not stored", linkedid=linkedid, count=len(those))
        await self._absorb([], position)

    async def _absorb(self, events: list[CallEvent], position: Position | None) -> None:
        await self._calls.absorb(events, source="file", now=self._clock(), position=position)

    async def _at_end(self) -> None:
        async with self._ended:
            self._ends += 1
            self._ended.notify_all()

    def _events(self, data: bytes) -> list[CallEvent]:
        if not data:
            return []
        events, broken = [], 0
        for line in data.decode(errors="replace").removesuffix("\n").split("\n"):
            try:
                if _ROW.fullmatch(line) is None:
                    raise cel.BrokenRow("not a row as Asterisk writes it")
                events.append(cel.from_csv(next(csv.reader([line], strict=True))))
            except (cel.BrokenRow, csv.Error, StopIteration):
                broken += 1
        if broken:
            self._metrics.cel_rows_broken.inc(broken)
            log.warning("call event rows not read", count=broken)
        return events


def _next_piece(path: Path, position: Position | None) -> _Piece | None:
    """What follows `position`: of its file, under whatever name; else of the file at `path`, if any."""
    current = _piece(path, position)
    if position is not None and (current is None or not _same(current, position)):
        rest = _renamed(path, position)
        # a torn last line of a file that nobody writes any more is given up
        if rest is not None and (b"\n" in rest.data or not rest.at_end):
            return replace(rest, at_end=False)
    return current


def _renamed(path: Path, position: Position) -> _Piece | None:
    """What follows `position` in a file of another name beside `path`."""
    with os.scandir(path.parent) as entries:
        named = [Path(entry.path) for entry in entries if _inode(entry.inode()) == position.inode]
    found = (_piece(file, position) for file in named)
    return next((piece for piece in found if piece and _same(piece, position)), None)


def _piece(path: Path, position: Position | None) -> _Piece | None:
    """A file's bytes from `position` on if it is that file, else from its beginning; None without a file."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        status = os.fstat(file.fileno())
        piece = _Piece(
            inode=_inode(status.st_ino),
            head=_head(file.read(HEAD_BYTES)),
            start=0,
            data=b"",
            at_end=False,
        )
        # shorter than what was read: it was emptied, and begun anew
        if (
            position is not None
            and _same(piece, position)
            and position.read_bytes <= status.st_size
        ):
            piece = replace(piece, start=position.read_bytes)
        file.seek(piece.start)
        data = file.read(CHUNK)
    return replace(piece, data=data, at_end=len(data) < CHUNK)


def _same(piece: _Piece, position: Position) -> bool:
    """Is it the file of which `position` speaks? A place noted before heads were has none to compare."""
    return piece.inode == position.inode and position.head in ("", piece.head)


def _head(begin: bytes) -> str:
    """The hash of a file's first line, or of its first `HEAD_BYTES`; empty while there are neither."""
    end = begin.find(b"\n") + 1
    if end == 0 and len(begin) < HEAD_BYTES:
        return ""
    return hashlib.blake2b(begin[: end or None], digest_size=16).hexdigest()


def _inode(number: int) -> int:
    """Some file systems number beyond what a bigint holds."""
    return number & (2**63 - 1)
