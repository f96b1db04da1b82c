"""The number API over HTTP, against an aiohttp handler that makes one committed UPDATE by key."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

import asyncpg

from tests.bench import machine, stats
from tests.bench.report import Report, Row, at_least
from tests.bench.rounds import Measured, load
from tests.bench.strategies import SQL

_GOAL = 0.6


async def measure(report: Report, dsn: str, bare_dsn: str, *, rounds: int, seconds: float) -> None:
    """`dsn` holds free numbers, and the sessions whose heartbeats are sent; the bare handler has a
    database of its own, since it moves what ours goes by."""
    connection = await asyncpg.connect(dsn)

    async def freed(measured: Callable[[], Awaitable[Measured]]) -> Measured:
        """Before each round the visitors of the last one are gone, and their numbers free."""
        await connection.execute(SQL["handout.all_free"], datetime.now(UTC))
        return await measured()

    cores = machine.SERVER_CORES
    with (
        machine.running("tests.bench.servers", "http-update", bare_dsn, cores=cores) as (
            bare,
            said,
        ),
        machine.running("tests.bench.ours", "http", dsn, cores=cores) as (ours, told),
    ):
        variants: dict[str, Callable[[], Awaitable[Measured]]] = {}
        for connections in (16, 64):
            for kind, server, port in (
                ("update", bare, int(said["port"])),
                ("visits", ours, int(told["port"])),
                ("heartbeats", ours, int(told["port"])),
            ):
                variants[f"{kind} {connections}"] = partial(
                    freed,
                    partial(load, server, "http", port, connections, kind, seconds=seconds),
                )
        for name in ("update 16", "visits 16", "heartbeats 16"):
            await variants[name]()
        results = await stats.interleaved(variants, rounds)
    await connection.close()
    _tell(report, results)


def _tell(report: Report, results: Mapping[str, list[Measured]]) -> None:
    rates = {name: [m.rate for m in measured] for name, measured in results.items()}
    for kind in ("visits", "heartbeats"):
        for connections in (16, 64):
            ours, bare = f"{kind} {connections}", f"update {connections}"
            value = stats.ratio(rates[ours], rates[bare])
            goal = at_least(value, _GOAL) if kind == "visits" else ("", None)
            report.add(
                Row(
                    subject=f"HTTP {kind}/s : bare UPDATE, {connections} connections",
                    ours=_figures(results[ours]),
                    baseline=_figures(results[bare]),
                    ratio=f"{value:.2f}",
                    goal=goal[0],
                    reached=goal[1],
                )
            )
            _complain(report, ours, results[ours])


def _figures(measured: list[Measured]) -> str:
    return (
        f"{statistics.median(m.rate for m in measured):,.0f}/s "
        f"{statistics.median(m.cpu_each for m in measured) * 1e6:.0f} us "
        f"p99 {statistics.median(m.p99 for m in measured) * 1e3:.0f} ms"
    )


def _complain(report: Report, name: str, measured: list[Measured]) -> None:
    """A quick refusal would pass for a quick answer."""
    counts: dict[str, int] = {}
    for one in measured:
        for answer, count in one.counts.items():
            counts[answer] = counts.get(answer, 0) + count
    total = sum(count for answer, count in counts.items() if answer.isdigit())
    good = counts.get("200", 0)
    default = counts.get("default", 0)
    if good < total:
        report.fail(f"HTTP {name}", f"only {good} of {total} answers were 200: {counts}")
    elif default:
        report.note(f"HTTP {name}: {default / total:.0%} of the answers were the default number")
