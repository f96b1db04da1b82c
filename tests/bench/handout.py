"""Handing out numbers: how many a second, whether any was given twice, and whether that stays so with
more numbers, a longer past and a fuller pool.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import asyncpg

from router.app import OTHER_CONNECTIONS, spare_the_collector
from router.domain.model import Policy
from router.firstrun.postgres import PostgresServer
from tests.bench import stats, workload, world
from tests.bench.flow import HOLD, Flow, Give, Place, given_twice
from tests.bench.report import Report, Row, at_least, at_most, say
from tests.bench.strategies import SQL, Naive, SkipLocked, no_reset
from tests.bench.visits import OurVisits

_ROUNDS = 4
# Statements are planned by what the tables hold: a day after its start no installation is empty.
_SOME_PAST = 20_000
# So many numbers that time hardly moves from one request to the next.
_STANDING_STILL = 10**9


async def measure(
    report: Report, server: PostgresServer, past: Callable[[], Awaitable[str]]
) -> None:
    """Everything about handing out; `past` gives the database with many past reservations."""
    spare_the_collector()
    await _against_others(report, server)
    await _full(report, server)
    await _long_past(report, server, await past())
    await _heartbeats(report, server)
    await _more_numbers(report, server)


async def _against_others(report: Report, server: PostgresServer) -> None:
    numbers = 1000
    policies: Mapping[str, Policy] = {"ours": "longest_idle", "balanced": "balanced"}
    async with AsyncExitStack() as stack:
        places: dict[str, Place] = {}
        for name in (*policies, "skip", "naive"):
            company = world.Company(
                numbers=numbers,
                reservations=_SOME_PAST,
                policy=policies.get(name, "longest_idle"),
            )
            dsn = await _fresh(server, f"handout_{name}", company)
            if name in policies:
                ours = await stack.enter_async_context(OurVisits.on(dsn))
                places[name] = Place(ours.give, ours.sweep, numbers, server)
            else:
                pool = await stack.enter_async_context(_pool(dsn))
                await pool.execute(SQL["handout.own_index"])
                give = (SkipLocked if name == "skip" else Naive)(pool, HOLD)
                places[name] = Place(
                    give, partial(pool.execute, SQL["handout.free_expired"]), numbers, server
                )
        for place in places.values():
            await place.flow(seconds=0.5)
        flows = await stats.interleaved(
            {name: place.flow for name, place in places.items()}, _ROUNDS
        )
    for name, policy, wanted in (("ours", "longest_idle", 2), ("balanced", "balanced", 1.5)):
        _against(report, policy, flows[name], flows["skip"], wanted)
    naive = flows["naive"]
    for name, policy in policies.items():
        twice, others = _twice(flows[name]), _twice(naive)
        report.add(
            Row(
                subject=f"{policy}, given twice : SELECT, then UPDATE",
                ours=f"{twice} of {sum(len(f.given) for f in flows[name]):,}",
                baseline=f"{others} of {sum(len(f.given) for f in naive):,}",
                goal="0, naive > 0",
                reached=twice == 0 and others > 0,
            )
        )
        if lost := sum(1 for f in flows[name] for one in f.given if one.e164 is None):
            report.note(f"{policy}: {lost} requests got no number although two fifths were free")


def _against(
    report: Report, policy: str, ours: Sequence[Flow], skip: Sequence[Flow], wanted: float
) -> None:
    """Rate and p99 of one policy beside one statement for each request."""
    rate = stats.ratio([f.rate for f in ours], [f.rate for f in skip])
    goal, reached = at_least(rate, wanted)
    report.add(
        Row(
            subject=f"{policy}, 64 at once : one SKIP LOCKED statement each",
            ours=_figures(ours),
            baseline=_figures(skip),
            ratio=f"{rate:.2f}",
            goal=goal,
            reached=reached,
        )
    )
    p99 = stats.ratio([f.p99 for f in ours], [f.p99 for f in skip])
    goal, reached = at_most(p99, 1)
    report.add(
        Row(
            subject=f"{policy}, p99 : its p99",
            ours=f"{_middle(ours, 'p99') * 1e3:.1f} ms",
            baseline=f"{_middle(skip, 'p99') * 1e3:.1f} ms",
            ratio=f"{p99:.2f}",
            goal=goal,
            reached=reached,
        )
    )


async def _full(report: Report, server: PostgresServer) -> None:
    """A pool with 95 % of its numbers held for hours, against one that is free."""
    dsns = {
        name: await _fresh(
            server,
            f"handout_{name}",
            world.Company(numbers=20_000, held=held, reservations=_SOME_PAST),
        )
        for name, held in (("full", 19_000), ("free", 0))
    }
    flows = await _both(dsns, 1000, server)
    _flat(report, "handing out, 95 % of the numbers taken : none", flows, "full", "free", 0.9)


async def _long_past(report: Report, server: PostgresServer, past: str) -> None:
    young = world.Company(numbers=10_000, held=workload.HELD, reservations=_SOME_PAST)
    dsns = {"past": past, "new": await _fresh(server, "handout_new", young)}
    flows = await _both(dsns, 8000, server)
    _flat(report, "handing out, many past reservations : few", flows, "past", "new", 0.85)


async def _both(
    dsns: dict[str, str], numbers: int, server: PostgresServer
) -> dict[str, list[Flow]]:
    async with AsyncExitStack() as stack:
        places = {}
        for name, dsn in dsns.items():
            ours = await stack.enter_async_context(OurVisits.on(dsn))
            places[name] = Place(ours.give, ours.sweep, numbers, server)
        for place in places.values():
            await place.flow(seconds=0.5)
        return await stats.interleaved(
            {name: place.flow for name, place in places.items()}, _ROUNDS
        )


async def _heartbeats(report: Report, server: PostgresServer) -> None:
    """Heartbeats of sessions that hold a number, beside allocations, both 64 at once."""
    company = world.Company(numbers=10_000, held=workload.HELD, reservations=_SOME_PAST)
    dsn = await _fresh(server, "handout_beats", company)
    async with OurVisits.on(dsn) as ours:
        place = Place(ours.give, ours.sweep, 8000, server)
        beats = Place(ours.heartbeat, ours.sweep, _STANDING_STILL, server)
        variants = {"allocation": place.flow, "heartbeat": beats.flow}
        for flow in variants.values():
            await flow(seconds=0.5)
        flows = await stats.interleaved(variants, _ROUNDS)
    # A connection hands in its counts when it ends; so heartbeats get one pool to themselves.
    before = await _updates(dsn)
    async with OurVisits.on(dsn) as ours:
        await Place(ours.heartbeat, ours.sweep, _STANDING_STILL, server).flow()
    after = await _updates(dsn)
    value = stats.ratio([f.p50 for f in flows["heartbeat"]], [f.p50 for f in flows["allocation"]])
    goal, reached = at_most(value, 1)
    report.add(
        Row(
            subject="heartbeat p50 : allocation p50, 64 at once",
            ours=_figures(flows["heartbeat"]),
            baseline=_figures(flows["allocation"]),
            ratio=f"{value:.2f}",
            goal=goal,
            reached=reached,
        )
    )
    total, hot = (after[i] - before[i] for i in (0, 1))
    share = hot / total if total else 0.0
    goal, reached = at_least(share, 0.9)
    report.add(
        Row(
            subject="heartbeats, heap-only share of updates",
            ours=f"{hot:,} of {total:,}",
            ratio=f"{share:.2f}",
            goal=goal,
            reached=reached,
        )
    )


async def _updates(dsn: str) -> tuple[int, int]:
    """Updates so far, and those that touched no index."""
    await asyncio.sleep(0.3)
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(
            "SELECT sum(n_tup_upd)::bigint, sum(n_tup_hot_upd)::bigint FROM pg_stat_user_tables "
            "WHERE relname IN ('number', 'session', 'reservation')"
        )
        assert row is not None
        return row[0], row[1]
    finally:
        await connection.close()


async def _more_numbers(report: Report, server: PostgresServer) -> None:
    """Ten numbers cannot flow, so eight visitors come together, and the numbers are freed unseen."""
    policies: tuple[Policy, ...] = ("longest_idle", "balanced")
    for policy in policies:
        async with AsyncExitStack() as stack:
            variants: dict[str, Callable[[], Awaitable[list[float]]]] = {}
            for name, numbers in (("ten", 10), ("many", 100_000)):
                company = world.Company(numbers=numbers, reservations=_SOME_PAST, policy=policy)
                dsn = await _fresh(server, f"{policy}_{name}", company)
                ours = await stack.enter_async_context(OurVisits.on(dsn))
                pool = await stack.enter_async_context(_pool(dsn))
                variants[name] = partial(_bursts, ours.give, pool)
            for burst in variants.values():
                await burst()
            took = await stats.interleaved(variants, 6)
        rates = {name: [8 / statistics.median(times) for times in took[name]] for name in took}
        value = stats.ratio(rates["many"], rates["ten"])
        goal, reached = at_least(value, 0.85)
        report.add(
            Row(
                subject=f"{policy}, 100,000 numbers : 10 numbers, 8 at once",
                ours=f"{statistics.median(rates['many']):,.0f}/s",
                baseline=f"{statistics.median(rates['ten']):,.0f}/s",
                ratio=f"{value:.2f}",
                goal=goal,
                reached=reached,
            )
        )


async def _bursts(give: Give, pool: asyncpg.Pool, *, count: int = 40) -> list[float]:
    took = []
    for _ in range(count):
        now = datetime.now(UTC)
        began = time.perf_counter()
        given = await asyncio.gather(*(give(visit, now) for visit in range(8)))
        took.append(time.perf_counter() - began)
        if any(one.e164 is None for one in given):
            raise RuntimeError("eight visitors did not all get one of ten free numbers")
        await pool.execute(SQL["handout.all_free"], now)
    return took


def _flat(
    report: Report,
    subject: str,
    flows: dict[str, list[Flow]],
    ours: str,
    baseline: str,
    wanted: float,
) -> None:
    value = stats.ratio([f.rate for f in flows[ours]], [f.rate for f in flows[baseline]])
    goal, reached = at_least(value, wanted)
    report.add(
        Row(
            subject=subject,
            ours=_figures(flows[ours]),
            baseline=_figures(flows[baseline]),
            ratio=f"{value:.2f}",
            goal=goal,
            reached=reached,
        )
    )


def _figures(flows: Sequence[Flow]) -> str:
    return (
        f"{_middle(flows, 'rate'):,.0f}/s p50 {_middle(flows, 'p50') * 1e3:.1f} ms "
        f"{_middle(flows, 'cpu') * 1e6:.0f}+{_middle(flows, 'server_cpu') * 1e6:.0f} us"
    )


def _middle(flows: Sequence[Flow], what: str) -> float:
    return statistics.median(float(getattr(flow, what)) for flow in flows)


def _twice(flows: Sequence[Flow]) -> int:
    return given_twice([one for flow in flows for one in flow.given])


async def _fresh(server: PostgresServer, name: str, company: world.Company) -> str:
    say(f"  making {name}: {company.numbers:,} numbers, {company.held:,} held")
    return await world.create(server, name, company, datetime.now(UTC))


@asynccontextmanager
async def _pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await asyncpg.create_pool(
        dsn, min_size=OTHER_CONNECTIONS, max_size=OTHER_CONNECTIONS, reset=no_reset
    )
    try:
        yield pool
    finally:
        await pool.close()
