"""Everything that decides a call, in one trip, against SELECT 1 by the same road; beside it another
program hands out a hundred numbers a second."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from prometheus_client import CollectorRegistry

from router.domain import matching
from router.services.calls import Calls
from router.services.clocks import Clocks
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.services.upkeep import Upkeep
from router.store import arrivals
from router.store.database import Database
from tests.bench import machine, stats, workload
from tests.bench.report import Report, Row, at_most
from tests.bench.strategies import no_reset

_TIMES = 400
_HOT = workload.e164(1)
Variants = Mapping[str, Callable[[], Awaitable[object]]]
Times = Mapping[str, stats.Spread]


@dataclass(frozen=True, kw_only=True)
class _Roads:
    """To the database with the long past, bare and by our code, and to the young one."""

    bare: asyncpg.Pool
    past: Database
    young: Database


async def measure(report: Report, past: str, young: str) -> None:
    """The two databases differ in how many reservations are over; both have the hot number."""
    with machine.running("tests.bench.ours", "visits", past, "100", cores=machine.OTHER_CORES):
        async with _roads(past, young) as roads:
            ordinary = await _ordinary(roads)
            hot: Variants = {"one": lambda: _one(roads), "hot": lambda: _decided(roads.past, _HOT)}
            listed = await _timed(hot, _TIMES // 5)
            await _calls(roads.past).settle(_HOT, datetime.now(UTC))
            summed = await _timed(hot, _TIMES)
    _tell(report, ordinary, listed, summed)


@asynccontextmanager
async def _roads(past: str, young: str) -> AsyncIterator[_Roads]:
    bare = await asyncpg.create_pool(past, min_size=1, max_size=2, reset=no_reset)
    roads = _Roads(
        bare=bare,
        past=await Database.connect(past, connections=2),
        young=await Database.connect(young, connections=2),
    )
    try:
        yield roads
    finally:
        await bare.close()
        await roads.past.close()
        await roads.young.close()


async def _ordinary(roads: _Roads) -> Times:
    chance = random.Random(5)

    def number() -> str:
        return workload.e164(chance.randint(workload.HELD + 2, workload.NUMBERS))

    variants: Variants = {
        "one": lambda: _one(roads),
        "past": lambda: _dialled(roads.past, number()),
        "young": lambda: _dialled(roads.young, number()),
    }
    return await _timed(variants, _TIMES)


async def _one(roads: _Roads) -> None:
    await roads.bare.fetchval("SELECT 1")


async def _dialled(database: Database, number: str) -> arrivals.Dialled:
    now = datetime.now(UTC)
    return await arrivals.dialled(database, [number], "+79161234567", workload.TRUNK, now)


async def _decided(database: Database, number: str) -> None:
    """The look-up and the decision: what is summed up saves time in both."""
    found = await _dialled(database, number)
    _, shares = matching.attribute(
        found.shown,
        found.candidates,
        found.past,
        datetime.now(UTC),
        outages=found.outages,
        known_caller=found.known_caller,
    )
    if shares is None or shares.count < workload.CANDIDATES:
        raise RuntimeError(f"the hot number has {shares.count if shares else 0} candidates")


def _calls(database: Database) -> Calls:
    metrics = CallMetrics(CollectorRegistry())
    return Calls(database, Live(), Upkeep(database), metrics, Clocks(metrics))


async def _timed(variants: Variants, times: int) -> Times:
    """One after the other in random order, one at a time."""

    async def once(variant: Callable[[], Awaitable[object]]) -> float:
        began = time.perf_counter()
        await variant()
        return time.perf_counter() - began

    timed = {name: (lambda variant=variant: once(variant)) for name, variant in variants.items()}
    await stats.interleaved(timed, 10)
    results = await stats.interleaved(timed, times)
    return {name: stats.spread(values) for name, values in results.items()}


def _tell(report: Report, ordinary: Times, listed: Times, summed: Times) -> None:
    many = f"{workload.CANDIDATES:,} candidates"
    for subject, ours, baseline, wanted in (
        ("look-up of a call, no candidates : SELECT 1", ordinary["past"], ordinary["one"], 2.3),
        ("look-up, many past reservations : few", ordinary["past"], ordinary["young"], 1.5),
        (f"look-up and decision, {many} : SELECT 1", listed["hot"], listed["one"], None),
        ("the same, summed up before : SELECT 1", summed["hot"], summed["one"], None),
    ):
        value = ours.p50 / baseline.p50
        goal, reached = at_most(value, wanted) if wanted else ("", None)
        report.add(
            Row(
                subject=f"{subject}, p50",
                ours=f"{ours.p50 * 1e3:.2f} ms p99 {ours.p99 * 1e3:.1f}",
                baseline=f"{baseline.p50 * 1e3:.2f} ms p99 {baseline.p99 * 1e3:.1f}",
                ratio=f"{value:.2f}",
                goal=goal,
                reached=reached,
            )
        )
