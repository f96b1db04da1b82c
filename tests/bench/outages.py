"""What a caller waits when something behind the dialplan is gone: the database, the router."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from router.firstrun.postgres import PostgresServer
from tests.bench import machine, routers, stand, workload
from tests.bench.report import Report, Row, at_most
from tests.conftest import free_port

_TIMES = 3
_AFTER = 8


async def measure(
    report: Report, pbx: stand.Stand, router: routers.RouterProcess, server: PostgresServer
) -> None:
    """The worst of a few calls each; the database runs again at the end."""
    await asyncio.to_thread(server.stop)
    try:
        await asyncio.to_thread(pbx.ask, router.agi)
        _tell(report, "set-up, database gone, first call", await _first_calls(pbx), 0.7)
        _tell(report, "set-up, database gone, calls after it", await _calls(pbx, _AFTER), 0.1)
    finally:
        await asyncio.to_thread(server.start)
        if server.pid:
            machine.pin(server.pid, machine.ALL_CORES)
    router.freeze()
    try:
        _tell(report, "set-up, router frozen, first call", await _first_calls(pbx), 2.1)
        _tell(report, "set-up, router frozen, calls after it", await _calls(pbx, _AFTER), 0.1)
    finally:
        router.thaw()
    await asyncio.to_thread(pbx.ask, free_port())
    _tell(report, "set-up, no router", await _calls(pbx, _AFTER), 0.1)


async def _first_calls(pbx: stand.Stand) -> list[float]:
    """Calls that find the breaker closed."""
    times = []
    for _ in range(_TIMES):
        await asyncio.to_thread(pbx.close_breaker)
        times += await _calls(pbx, 1)
    return times


async def _calls(pbx: stand.Stand, count: int) -> list[float]:
    times = []
    for number in range(count):
        times.append(await pbx.set_up(workload.e164(workload.HELD + 2 + number)))
        await asyncio.sleep(0.05)
    return times


def _tell(report: Report, subject: str, times: Sequence[float], seconds: float) -> None:
    goal, reached = at_most(max(times), seconds)
    report.add(
        Row(
            subject=subject,
            ours=f"{max(times) * 1e3:,.0f} ms",
            baseline=f"worst of {len(times)}",
            goal=f"{goal} s",
            reached=reached,
        )
    )
