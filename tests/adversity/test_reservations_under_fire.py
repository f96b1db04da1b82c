"""One number is never two visitors': 200 visitors, three router processes, twenty numbers, one minute,
one process killed with -9 in the middle. Beside it a naive way, which must be caught.

The visitors' clock runs thirty times as fast as ours, so a minute is half an hour of theirs and numbers
change hands hundreds of times; each visitor stays for one heartbeat at least.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from router.store import upkeep
from router.store.database import Database
from tests.adversity.fire_router import START, Clock
from tests.adversity.fire_visitors import Crowd, Log, doubles
from tests.company import APool, set_up

VISITORS = 200
ROUTERS = 3
NUMBERS = range(1, 21)
SECONDS = 60
NAIVE_SECONDS = 5
SPEED = 30
_CHECKOUT = Path(__file__).parents[2]


@asynccontextmanager
async def routers(kind: str, dsn: str, began: float) -> AsyncIterator[dict[int, int]]:
    """So many router processes; their pids by port."""
    processes: list[asyncio.subprocess.Process] = []
    try:
        pids: dict[int, int] = {}
        for _ in range(ROUTERS):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.adversity.fire_router"),
                *(kind, dsn, str(began), str(SPEED)),
                cwd=_CHECKOUT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            processes.append(process)
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), 30)
            pids[int(line)] = process.pid
        yield pids
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def fire(kind: str, dsn: str, seconds: float, *, kill: bool) -> Log:
    """What the visitors were told."""
    began = time.time()
    async with routers(kind, dsn, began) as pids:
        crowd = Crowd(list(pids), Clock(began, SPEED), SPEED, seed=4)
        coming = asyncio.create_task(crowd.come(VISITORS, seconds))
        if kill:
            await asyncio.sleep(seconds / 2)
            port = crowd.ports[0]
            os.kill(pids[port], signal.SIGKILL)
            await asyncio.sleep(0.5)
            crowd.ports.remove(port)
        return await coming


async def test_no_number_is_ever_two_visitors(dsn: str, database: Database) -> None:
    """By the history in the database, and by what each visitor was told."""
    await set_up(database, START, APool(numbers=NUMBERS, reservation_seconds=60))
    log = await fire("careful", dsn, SECONDS, kill=True)
    handed_out = await database._pool.fetchval("SELECT count(*) FROM reservation")
    ended = await database._pool.fetchval(
        "SELECT count(*) FROM reservation WHERE ended_at IS NOT NULL"
    )
    sessions_twice = await database._pool.fetchval(
        "SELECT count(*) FROM (SELECT FROM number WHERE holder_id IS NOT NULL "
        "GROUP BY holder_id HAVING count(*) > 1) AS twice"
    )
    print(f"{handed_out} hand-outs, {len(log.claims)} claims, {dict(log.answers)}")

    assert await upkeep.overlapping_reservations(database) == []
    assert doubles(log.claims) == []
    assert log.tabs_that_differ == []
    assert sessions_twice == 0
    # it was a fire: numbers went round, visitors went without, and only the kill was noticed
    assert handed_out >= len(log.claims) > 5 * len(NUMBERS)
    assert ended >= handed_out - len(NUMBERS)
    assert log.answers["default"] > VISITORS
    assert log.refused == []
    assert 0 < log.answers["gone"] < VISITORS


async def test_the_naive_way_is_caught(dsn: str, database: Database) -> None:
    """The same visitors, select then insert: both checks see numbers given twice."""
    await set_up(database, START, APool(numbers=NUMBERS, reservation_seconds=60))
    log = await fire("naive", dsn, NAIVE_SECONDS, kill=False)

    assert len(doubles(log.claims)) > 0
    assert len(await upkeep.overlapping_reservations(database)) > 0
