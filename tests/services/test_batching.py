"""Requests that wait together are served together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from router.domain.errors import StoreUnavailable
from router.services.batching import Batcher, Waiting

Batch = Sequence[Waiting[int, int]]


@asynccontextmanager
async def batching(
    serve: Callable[[Batch], Awaitable[None]], **options: float
) -> AsyncIterator[Batcher[int, int]]:
    batcher: Batcher[int, int] = Batcher(serve, what="test", **options)  # type: ignore[arg-type]
    task = asyncio.create_task(batcher.run())
    yield batcher
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class Doubler:
    """Answers twice the question, after a while; remembers the batches it was given."""

    def __init__(self, seconds: float = 0) -> None:
        self.batches: list[list[int]] = []
        self._seconds = seconds

    async def __call__(self, batch: Batch) -> None:
        self.batches.append([waiting.question for waiting in batch])
        await asyncio.sleep(self._seconds)
        for waiting in batch:
            waiting.answer(2 * waiting.question)


async def test_those_who_come_together_are_served_together() -> None:
    """In the order in which they came, no more than so many at once."""
    doubler = Doubler()
    async with batching(doubler, most=4) as batcher:
        answers = await asyncio.gather(*(batcher.ask(n) for n in range(6)))

    assert answers == [0, 2, 4, 6, 8, 10]
    assert doubler.batches == [[0, 1, 2, 3], [4, 5]]


async def test_the_next_batch_gathers_while_one_is_served() -> None:
    """Nobody waits for a batch to fill."""
    doubler = Doubler(0.05)
    async with batching(doubler) as batcher:
        first = asyncio.create_task(batcher.ask(1))
        await asyncio.sleep(0.02)
        others = [asyncio.create_task(batcher.ask(n)) for n in (2, 3)]
        await asyncio.gather(first, *others)

    assert doubler.batches == [[1], [2, 3]]


async def test_lanes() -> None:
    """With two of them a second batch does not wait for the first to be answered."""
    doubler = Doubler(0.05)
    async with batching(doubler, lanes=2) as batcher:
        asking = []
        for n in (1, 2, 3):
            asking.append(asyncio.create_task(batcher.ask(n)))
            await asyncio.sleep(0.01)
        under_way = list(doubler.batches)
        answers = await asyncio.gather(*asking)

    assert under_way == [[1], [2]]
    assert answers == [2, 4, 6]


async def test_who_does_not_wait_any_more_is_not_served() -> None:
    """The visitor closed the connection."""
    doubler = Doubler(0.05)
    async with batching(doubler) as batcher:
        first = asyncio.create_task(batcher.ask(1))
        await asyncio.sleep(0.02)
        impatient, patient = (asyncio.create_task(batcher.ask(n)) for n in (2, 3))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.gather(first, patient)

    assert doubler.batches == [[1], [3]]


async def test_nobody_waits_longer_than_the_deadline() -> None:
    """Neither those in a batch that hangs, nor those who wait for the next one; then it goes on."""
    hanging = asyncio.Event()
    doubler = Doubler()

    async def serve(batch: Batch) -> None:
        if not hanging.is_set():
            await asyncio.sleep(60)
        await doubler(batch)

    loop = asyncio.get_running_loop()
    async with batching(serve, seconds=0.2) as batcher:

        async def waits() -> float:
            began = loop.time()
            with pytest.raises(StoreUnavailable, match=r"test: no answer within"):
                await batcher.ask(1)
            return loop.time() - began

        first = asyncio.create_task(waits())
        await asyncio.sleep(0.1)
        waited = [await first, await waits()]
        hanging.set()

        assert max(waited) < 0.35
        assert await batcher.ask(4) == 8


async def test_one_bad_request_does_not_fail_the_others() -> None:
    """A batch that fails is served one by one."""

    async def serve(batch: Batch) -> None:
        for waiting in batch:
            waiting.answer(100 // waiting.question)

    async with batching(serve) as batcher:
        answers = await asyncio.gather(
            *(batcher.ask(n) for n in (1, 0, 50)), return_exceptions=True
        )

    assert answers[0::2] == [100, 2]
    assert isinstance(answers[1], ZeroDivisionError)


async def test_a_spare_lane_serves_beside_a_batch_that_hangs() -> None:
    """Nobody waits for it much longer than the patience; before that all go into one batch."""
    hanging = asyncio.Event()
    batches: list[list[int]] = []

    async def serve(batch: Batch) -> None:
        batches.append([waiting.question for waiting in batch])
        if batches == [[0]]:
            await hanging.wait()
        for waiting in batch:
            waiting.answer(2 * waiting.question)

    async with batching(serve, lanes=2, patience=0.02) as batcher:
        first = asyncio.create_task(batcher.ask(0))
        while not batches:
            await asyncio.sleep(0)
        answers = await asyncio.gather(*(batcher.ask(n) for n in (1, 2)))
        assert not first.done()
        hanging.set()
        await first

    assert answers == [2, 4]
    assert batches == [[0], [1, 2]]
