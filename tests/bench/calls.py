"""A call through a real Asterisk: seconds from the caller's INVITE to the company's, by who was asked.

The same dialplan asks nobody, a FastAGI server that answers at once, and the router, in turn; beside it
a plain `Dial`. Then the router's parts fail one after the other.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import asyncpg

from router.firstrun.postgres import PostgresServer
from tests.bench import machine, outages, routers, stand, stats, workload
from tests.bench.report import Report, Row, at_most

_CALLS = 8
# Seconds from the end of a call to the next: what follows a call shall not be part of the next one's time.
_PAUSE = 0.12
_CPU_CALLS = 60


async def measure(report: Report, server: PostgresServer, dsn: str, *, rounds: int) -> None:
    """`dsn` is the database with the long past; its server is stopped for a while at the end."""
    if server.pid:
        machine.pin(server.pid, machine.ALL_CORES)
    async with stand.running() as pbx:
        settings = {
            "AMI_PORT": str(pbx.server.config.ami_port),
            "AMI_EVENTS_SECRET": pbx.server.config.events_secret,
            "AMI_RECORDS_SECRET": pbx.server.config.records_secret,
            "ASTERISK_HOST": pbx.server.config.system_name,
            "CEL_FILE": str(pbx.server.cel_file),
            "RECORDINGS_DIR": str(pbx.server.recordings),
        }
        with machine.running("tests.bench.servers", "agi-bare", cores=machine.ALL_CORES) as (
            _,
            said,
        ):
            async with routers.running(dsn, cores=machine.ALL_CORES, settings=settings) as router:
                await _settled(router.pid)
                await _set_up(report, pbx, router, int(said["port"]), dsn, rounds)
                await _cpu(report, pbx, router, server)
                await outages.measure(report, pbx, router, server)


async def _set_up(
    report: Report,
    pbx: stand.Stand,
    router: routers.RouterProcess,
    instant: int,
    dsn: str,
    rounds: int,
) -> None:
    chance = random.Random(11)

    def even() -> str:
        return workload.e164(chance.randrange(workload.HELD + 2, workload.NUMBERS, 2))

    def odd() -> str:
        return workload.e164(chance.randrange(workload.HELD + 3, workload.NUMBERS, 2))

    async def block(number: Callable[[], str], prepare: Callable[[], None]) -> list[float]:
        await asyncio.to_thread(prepare)
        times = []
        for _ in range(_CALLS):
            times.append(await pbx.set_up(number()))
            await asyncio.sleep(_PAUSE)
        return times

    variants: Mapping[str, Callable[[], Awaitable[list[float]]]] = {
        "static": lambda: block(lambda: stand.STATIC, lambda: None),
        "nobody": lambda: block(even, pbx.ask_nobody),
        "instant": lambda: block(even, lambda: pbx.ask(instant)),
        "router": lambda: block(odd, lambda: pbx.ask(router.agi)),
        "many": lambda: block(lambda: workload.e164(1), lambda: pbx.ask(router.agi)),
    }
    for warm in variants.values():
        await warm()
    began = datetime.now(UTC)
    results = await stats.interleaved(variants, rounds)
    _tell(
        report, {name: [t for block in blocks for t in block] for name, blocks in results.items()}
    )
    await _all_recorded(report, dsn, began, 2 * rounds * _CALLS)


def _tell(report: Report, times: Mapping[str, Sequence[float]]) -> None:
    spreads = {name: stats.spread(values) for name, values in times.items()}
    nobody = spreads["nobody"]
    for name, subject, p50_goal, p99_goal in (
        ("instant", "set-up, a FastAGI server that answers at once", None, None),
        ("router", "set-up, router, call row committed first", 4, 15),
        ("many", f"set-up, the same, {workload.CANDIDATES:,} candidates on the number", 4, 15),
    ):
        for which, goal_ms in (("p50", p50_goal), ("p99", p99_goal)):
            ours, base = getattr(spreads[name], which), getattr(nobody, which)
            added = (ours - base) * 1e3
            goal, reached = at_most(added, goal_ms) if goal_ms else ("", None)
            report.add(
                Row(
                    subject=f"{subject}, {which} : same dialplan asking nobody",
                    ours=f"{ours * 1e3:.1f} ms",
                    baseline=f"{base * 1e3:.1f} ms",
                    ratio=f"{added:+.1f} ms",
                    goal=f"{goal} ms" if goal else "",
                    reached=reached,
                )
            )
    static = spreads["static"]
    report.note(
        f"set-up of a plain static Dial: p50 {static.p50 * 1e3:.1f} ms, p99 {static.p99 * 1e3:.1f} ms; "
        f"our dialplan without asking adds {(nobody.p50 - static.p50) * 1e3:.1f} ms (tags, checks, "
        f"records of the call); {nobody.count} calls each"
    )


async def _all_recorded(report: Report, dsn: str, began: datetime, expected: int) -> None:
    """The router was asked about odd numbers only, the stand-ins about even ones."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(
            "SELECT count(*), count(attribution_id) FROM call WHERE created_at >= $1 "
            "AND route_source = 'router' AND did::bigint % 2 = 1",
            began,
        )
    finally:
        await connection.close()
    assert row is not None
    rows, attributed = row
    if rows != expected:
        report.fail("set-up", f"{expected} calls asked the router, {rows} rows say so")
    report.note(f"set-up: {rows} calls routed by the router, {attributed} with an attribution")


async def _cpu(
    report: Report, pbx: stand.Stand, router: routers.RouterProcess, server: PostgresServer
) -> None:
    """From the first INVITE until the last call's events are stored."""
    await asyncio.to_thread(pbx.ask, router.agi)
    await asyncio.sleep(1)
    watched = {"router": router.pid, "Asterisk": pbx.server.pid, "PostgreSQL": server.pid or 0}
    before = {name: machine.family_cpu_seconds(pid) for name, pid in watched.items()}
    for number in range(_CPU_CALLS):
        await pbx.set_up(workload.e164(workload.HELD + 2 + number))
        await asyncio.sleep(_PAUSE)
    await asyncio.sleep(2)
    spent = {
        name: (machine.family_cpu_seconds(pid) - before[name]) / _CPU_CALLS * 1e3
        for name, pid in watched.items()
    }
    value = spent["router"] / spent["Asterisk"]
    goal, reached = at_most(value, 0.1)
    report.add(
        Row(
            subject="CPU per call, router : Asterisk (with recording)",
            ours=f"{spent['router']:.2f} ms",
            baseline=f"{spent['Asterisk']:.2f} ms",
            ratio=f"{value:.2f}",
            goal=goal,
            reached=reached,
        )
    )
    report.note(f"CPU per call, PostgreSQL: {spent['PostgreSQL']:.2f} ms")


async def _settled(pid: int, *, patience: float = 60) -> None:
    """Wait until the router has nothing to do: after its start it writes fail-safe routes."""
    for _ in range(int(patience)):
        before = machine.cpu_seconds(pid)
        await asyncio.sleep(1)
        if machine.cpu_seconds(pid) - before < 0.03:
            return
    raise RuntimeError(f"the router is still busy {patience:g} s after its start")
