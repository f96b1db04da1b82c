"""FastAGI: exchanges a second, 16 at once, against servers that do nothing."""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from functools import partial

from tests.bench import machine, stats
from tests.bench.report import Report, Row, at_least
from tests.bench.rounds import Measured, load

_CONNECTIONS = 16


async def measure(report: Report, dsn: str, *, rounds: int, seconds: float) -> None:
    """`dsn` holds the numbers that are asked for."""
    programs: Mapping[str, tuple[str, ...]] = {
        "bare": ("tests.bench.servers", "agi-bare"),
        "panoramisk": ("tests.bench.servers", "agi-panoramisk"),
        "idle": ("tests.bench.ours", "agi-idle"),
        "real": ("tests.bench.ours", "agi-real", dsn),
    }
    with ExitStack() as stack:
        variants: dict[str, Callable[[], Awaitable[Measured]]] = {}
        for name, program in programs.items():
            child, said = stack.enter_context(machine.running(*program, cores=machine.SERVER_CORES))
            variants[name] = partial(
                load, child, "agi", int(said["port"]), _CONNECTIONS, seconds=seconds
            )
        for warm in variants.values():
            await warm()
        results = await stats.interleaved(variants, rounds)
    _tell(report, results)


def _tell(report: Report, results: Mapping[str, list[Measured]]) -> None:
    # The generator is Python too: it cannot saturate the bare server, so what that would do on a whole
    # core is worked out from the CPU time it took.
    rates = {name: [m.rate for m in ms] for name, ms in results.items()}
    rates["bare"] = [max(m.rate, 1 / m.cpu_each) for m in results["bare"]]
    middle = {name: statistics.median(values) for name, values in rates.items()}
    cpu = {name: statistics.median(m.cpu_each for m in ms) * 1e6 for name, ms in results.items()}
    for ours, baseline, goal in (
        ("idle", "bare", None),
        ("idle", "panoramisk", None),
        ("real", "panoramisk", 0.85),
        ("real", "bare", 0.2),
    ):
        value = stats.ratio(rates[ours], rates[baseline])
        text, reached = at_least(value, goal) if goal else ("", None)
        report.add(
            Row(
                subject=f"FastAGI/s, {_WHAT[ours]} : {_WHAT[baseline]}",
                ours=f"{middle[ours]:,.0f}/s {cpu[ours]:.0f} us",
                baseline=f"{middle[baseline]:,.0f}/s {cpu[baseline]:.0f} us",
                ratio=f"{value:.2f}",
                goal=text,
                reached=reached,
            )
        )
    real = results["real"]
    report.note(
        f"FastAGI with look-up and committed call row, 16 at once: p50 "
        f"{statistics.median(m.p50 for m in real) * 1e3:.1f} ms, p99 "
        f"{statistics.median(m.p99 for m in real) * 1e3:.1f} ms; us = server's CPU per exchange; "
        f"panoramisk's rounds lie within {stats.unrest(rates['panoramisk']):.0%}"
    )


_WHAT = {
    "bare": "bare Protocol on uvloop",
    "panoramisk": "panoramisk doing nothing",
    "idle": "ours doing nothing",
    "real": "ours with look-up and call row",
}
