"""Our own parts, put together for a measurement as the program puts them together.

    python -m tests.bench.ours agi-idle
    python -m tests.bench.ours agi-real DATABASE_URL
    python -m tests.bench.ours visits DATABASE_URL VISITS_A_SECOND

Prints {"port": …} when it takes connections (port 0 where there are none).
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import json
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uvloop
from prometheus_client import CollectorRegistry

from router import log
from router.domain.model import Heartbeat, VisitRequest
from router.services.calls import Calls
from router.services.clocks import Clocks
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store.database import Database
from router.telephony.fastagi import FastAgiServer, Handler
from router.telephony.inbound import Inbound
from tests.bench import workload
from tests.bench.servers import COMMAND
from tests.bench.strategies import Given

CONNECTIONS = 8


class _Unbroken(Upkeep):
    """Time passes a thousand times faster in a measurement, and silence in it is no outage."""

    async def ensure(self, now: datetime) -> None:
        return None


class OurVisits:
    """services/visits on a database, in this process."""

    def __init__(self, database: Database) -> None:
        self._upkeep = _Unbroken(database)
        # What is kept for some seconds is kept, as it would be in that many real ones.
        self._visits = Visits(database, self._upkeep, directory_seconds=1e9)
        self._held: deque[tuple[UUID, str]] = deque(
            (workload.session_key(number), workload.e164(number))
            for number in range(2, workload.HELD + 2)
        )

    @classmethod
    @asynccontextmanager
    async def on(cls, dsn: str) -> AsyncIterator[OurVisits]:
        """Connected and serving."""
        database = await Database.connect(dsn, connections=CONNECTIONS)
        ours = cls(database)
        serving = asyncio.create_task(ours._visits.run())
        try:
            yield ours
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await database.close()

    async def give(self, visit: int, now: datetime) -> Given:
        """The first page view of a new visitor."""
        answer = await self._visits.visit(
            VisitRequest(
                site=workload.SITE,
                origin=workload.ORIGIN,
                url=workload.page(visit),
                referrer="https://www.google.com/",
                user_agent=workload.AGENT,
                visitor=None,
                session=None,
            ),
            now,
        )
        e164 = None if answer.how == "default" else answer.number
        return Given(e164=e164, at=now, until=answer.valid_until)

    async def heartbeat(self, _visit: int, now: datetime) -> Given:
        """A heartbeat of one of the sessions that hold a number, each in its turn."""
        session, e164 = self._held[0]
        self._held.rotate(-1)
        answer = await self._visits.heartbeat(
            Heartbeat(
                site=workload.SITE,
                origin=workload.ORIGIN,
                session=session,
                visible=True,
                input=True,
                shown=e164,
            ),
            now,
        )
        if answer.how != "kept" or answer.number is not None:
            raise RuntimeError(f"a held number was not kept but {answer}")
        return Given(e164=e164, at=now, until=answer.valid_until)

    async def sweep(self, now: datetime) -> int:
        return await self._upkeep.sweep(now)


class Program:
    """What one child runs; `stack` closes it, `clock` is the real time."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def _server(self, handler: Handler, metrics: CallMetrics) -> int:
        allowed = (ipaddress.ip_network("127.0.0.0/8"),)
        server = FastAgiServer(("127.0.0.1", 0), allowed, handler, metrics)
        await server.start()
        self._stack.push_async_callback(server.close)
        return server.port

    async def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._stack.callback(task.cancel)

    async def agi_idle(self) -> int:
        """Our server with a handler that knows the answer."""
        command = (COMMAND + "\n").encode()

        async def known(_environment: Mapping[str, str]) -> bytes:
            return command

        return await self._server(known, CallMetrics(CollectorRegistry()))

    async def agi_real(self, dsn: str) -> int:
        """Our server with the look-up, and the call row committed before the answer."""
        database = await Database.connect(dsn, connections=CONNECTIONS)
        self._stack.push_async_callback(database.close)
        metrics = CallMetrics(CollectorRegistry())
        calls = Calls(database, Live(), Upkeep(database), metrics, Clocks(metrics))
        await self._run(calls.run())
        inbound = Inbound(calls, metrics, _clock)
        await self._run(inbound.run())
        return await self._server(inbound, metrics)

    async def visits(self, dsn: str, rate: str) -> int:
        """So many new visitors a second, for ever."""
        ours = await self._stack.enter_async_context(OurVisits.on(dsn))

        async def come() -> None:
            for visit in itertools.count():
                await asyncio.sleep(1 / float(rate))
                await ours.give(visit, _clock())

        await self._run(come())
        return 0


def _clock() -> datetime:
    return datetime.now(UTC)


async def _serve(name: str, arguments: list[str]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with AsyncExitStack() as stack:
        program = Program(stack)
        kinds: Mapping[str, Callable[..., Awaitable[int]]] = {
            "agi-idle": program.agi_idle,
            "agi-real": program.agi_real,
            "visits": program.visits,
        }
        print(json.dumps({"port": await kinds[name](*arguments)}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    log.configure(style="json", stream=sys.stderr)
    uvloop.run(_serve(sys.argv[1], sys.argv[2:]))
