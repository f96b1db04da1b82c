"""A database whose numbers are handed out in a time of its own.

Time is the program's argument, so a reservation of a minute passes in milliseconds: each request comes a
little later than the one before, such that three fifths of the numbers are held at any moment. A run
that released numbers at once could not see one given twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from router.firstrun.postgres import PostgresServer
from tests.bench import machine, stats
from tests.bench.strategies import Given

Give = Callable[[int, datetime], Awaitable[Given]]
Sweep = Callable[[datetime], Awaitable[object]]

# A visit keeps its number for the 75 s in which it may be silent and the tail of its pool after that.
HOLD = timedelta(seconds=75 + 60)
_AT_ONCE = 64
_SECONDS = 1.5
# Requests between two sweeps.
_SWEEP_EVERY = 200


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One round: numbers given a second, seconds each took, CPU microseconds per number."""

    rate: float
    p50: float
    p99: float
    cpu: float
    server_cpu: float
    given: Sequence[Given]


class Place:
    """A database, a way to hand out its numbers, and its own time."""

    def __init__(self, give: Give, sweep: Sweep, numbers: int, server: PostgresServer) -> None:
        self._give = give
        self._sweep = sweep
        self._step = HOLD / (0.6 * numbers)
        self._now = datetime.now(UTC)
        self._requests = 0
        self._server = server

    def tick(self) -> datetime:
        self._requests += 1
        self._now += self._step
        return self._now

    async def flow(self, *, at_once: int = _AT_ONCE, seconds: float = _SECONDS) -> Flow:
        """So many requests at once, each next one when the one before has its number."""
        given: list[Given] = []
        took: list[float] = []
        began = time.perf_counter()
        cpu, server_cpu = time.process_time(), self._server_seconds()

        async def visitor() -> None:
            while (started := time.perf_counter()) < began + seconds:
                now = self.tick()
                if self._requests % _SWEEP_EVERY == 0:
                    await self._sweep(now)
                    started = time.perf_counter()
                given.append(await self._give(self._requests, now))
                took.append(time.perf_counter() - started)

        await asyncio.gather(*(visitor() for _ in range(at_once)))
        elapsed = time.perf_counter() - began
        times = stats.spread(took)
        count = sum(1 for one in given if one.e164) or 1
        return Flow(
            rate=count / elapsed,
            p50=times.p50,
            p99=times.p99,
            cpu=(time.process_time() - cpu) / count,
            server_cpu=(self._server_seconds() - server_cpu) / count,
            given=given,
        )

    def _server_seconds(self) -> float:
        return machine.family_cpu_seconds(self._server.pid) if self._server.pid else 0.0


def given_twice(given: Sequence[Given]) -> int:
    """How often a number was given away while most of what its holder was promised was still to come.

    Requests under way together are a few steps apart in time, hence "most" and not "any".
    """
    held: dict[str, Given] = {}
    twice = 0
    for one in sorted(given, key=lambda one: one.at):
        if one.e164 is None:
            continue
        before = held.get(one.e164)
        twice += bool(before and before.until and before.until - one.at > HOLD / 2)
        held[one.e164] = one
    return twice
