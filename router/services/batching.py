"""Requests that wait together are served together, by one batch; each under one deadline."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NoReturn, TypeVar

import structlog

from router.domain.errors import StoreUnavailable
from router.store.database import deadline

log = structlog.get_logger(__name__)
Q = TypeVar("Q")
A = TypeVar("A")

# seconds after which one who waits for a place in a batch is given a lane of his own
PATIENT = 0.004
# beside a batch of more than a few another one is begun only after so many times as long
_FEW = 24
_LARGE_TAKES = 16


class Waiting(Generic[Q, A]):
    """A request and who waits for its answer. `since` is the event loop's time."""

    __slots__ = ("_future", "question", "since")

    def __init__(self, question: Q, future: asyncio.Future[A], since: float) -> None:
        self.question = question
        self.since = since
        self._future = future

    @property
    def done(self) -> bool:
        """Answered, or not waited for any more."""
        return self._future.done()

    def answer(self, answer: A) -> None:
        if not self._future.done():
            self._future.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self._future.done():
            self._future.set_exception(error)


class Batcher(Generic[Q, A]):
    """Serves what waits, in batches, as many at once as there are `lanes`; meanwhile the next gathers.

    `serve` answers each of the batch. What it leaves unanswered `seconds` after it was asked fails
    with StoreUnavailable, whatever the database does. `patience`: the lanes but the first serve only while
    somebody has waited for so many seconds, or several times that beside a large batch. Few large batches cost less than many small ones, but nobody
    waits for one that hangs.
    """

    def __init__(
        self,
        serve: Callable[[Sequence[Waiting[Q, A]]], Awaitable[None]],
        *,
        what: str,
        lanes: int = 1,
        most: int = 128,
        seconds: float = 1.0,
        patience: float = 0.0,
    ) -> None:
        self._serve = serve
        self._what = what
        self._lanes = lanes
        self._most = most
        self._seconds = seconds
        self._patience = patience
        self._under_way = 0
        self._queue: deque[Waiting[Q, A]] = deque()
        self._wake = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, question: Q) -> A:
        """The answer, from the next batch. Raises StoreUnavailable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        self._queue.append(Waiting(question, future, loop.time()))
        self._call()
        return await future

    def _call(self) -> None:
        """Somebody waits."""
        self._wake.set()

    async def run(self) -> None:
        """Serve for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._lane())
            for _ in range(self._lanes - 1):
                group.create_task(self._spare_lane() if self._patience else self._lane())

    async def _lane(self) -> NoReturn:
        while True:
            await self._wake.wait()
            # those whose requests were read in the same turn of the loop come along
            await asyncio.sleep(0)
            await self._drained()
            self._wake.clear()

    async def _spare_lane(self) -> NoReturn:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._patience)
            bound = self._patience * (1 if self._under_way <= _FEW else _LARGE_TAKES)
            late = bool(self._queue) and loop.time() - self._queue[0].since >= bound
            if late and (batch := self._next()):
                await self._bounded(batch)

    async def _drained(self) -> None:
        while batch := self._next():
            await self._bounded(batch)

    def _next(self) -> list[Waiting[Q, A]]:
        batch: list[Waiting[Q, A]] = []
        while self._queue and len(batch) < self._most:
            waiting = self._queue.popleft()
            if not waiting.done:
                batch.append(waiting)
        return batch

    async def _bounded(self, batch: list[Waiting[Q, A]]) -> None:
        self._under_way += len(batch)
        try:
            await self._served(batch)
        except StoreUnavailable as error:
            for waiting in batch:
                waiting.fail(error)
        except Exception as error:  # noqa: BLE001 - logged, and told to whom it concerns
            if len(batch) == 1:
                batch[0].fail(error)
                return
            log.warning("a batch failed", what=self._what, requests=len(batch), error=repr(error))
            await self._one_by_one([waiting for waiting in batch if not waiting.done])
        finally:
            self._under_way -= len(batch)

    async def _one_by_one(self, batch: Sequence[Waiting[Q, A]]) -> None:
        """One bad request does not fail those it waited with."""
        for waiting in batch:
            try:
                await self._served([waiting])
            except Exception as error:  # noqa: BLE001 - the one who asked is told
                waiting.fail(error)

    async def _served(self, batch: Sequence[Waiting[Q, A]]) -> None:
        waited = asyncio.get_running_loop().time() - batch[0].since
        left = max(0.0, self._seconds - waited)
        await deadline(self._serve(batch), left, what=self._what)


class OnDemand(Batcher[Q, A]):
    """The same without a task that runs for ever: a lane opens when somebody waits, and closes when nobody
    does. Another one opens beside it only if somebody has waited for `PATIENT` seconds: what comes meanwhile
    is cheaper to serve together, but must not wait for a batch that hangs."""

    def _call(self) -> None:
        if not self._open:
            self._begin()
        elif len(self._open) < self._lanes and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PATIENT, self._widen)

    def _widen(self) -> None:
        self._timer = None
        if self._queue and len(self._open) < self._lanes:
            self._begin()

    def _begin(self) -> None:
        lane = asyncio.create_task(self._drained())
        self._open.add(lane)
        lane.add_done_callback(self._ended)

    def _ended(self, lane: asyncio.Task[None]) -> None:
        self._open.discard(lane)
        if self._queue:
            # asked for between the lane's last look and its end
            self._call()
