"""Our own parts, put together for a measurement as the program puts them together.

    python -m tests.bench.ours agi-idle
    python -m tests.bench.ours agi-real DATABASE_URL
    python -m tests.bench.ours http DATABASE_URL
    python -m tests.bench.ours visits DATABASE_URL VISITS_A_SECOND

Prints {"port": …} when it takes connections (port 0 where there are none).
"""

from __future__ import annotations

import asyncio
import ipaddress
import itertools
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry

from router import log
from router.app import CALL_CONNECTIONS, OTHER_CONNECTIONS, spare_the_collector
from router.domain import phone
from router.services.access import Access
from router.services.calls import Calls
from router.services.clocks import Clocks
from router.services.inventory import Inventory
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.services.readiness import Readiness
from router.services.recordings import Recordings
from router.services.reports import Reports
from router.services.snippets import Snippets
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.settings import Address
from router.store.database import Database
from router.telephony.fastagi import FastAgiServer, Handler
from router.telephony.inbound import Inbound
from router.web.guard import Listener
from router.web.server import Parts, applications
from router.web.throttle import Limits
from tests.bench import workload
from tests.bench.servers import COMMAND
from tests.bench.visits import OurVisits

_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


class Program:
    """What one child runs; `stack` closes it, `clock` is the real time."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def _server(self, handler: Handler, metrics: CallMetrics) -> int:
        server = FastAgiServer(("127.0.0.1", 0), _LOOPBACK, handler, metrics)
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
        database = await Database.connect(
            dsn, connections=CALL_CONNECTIONS, at_least=CALL_CONNECTIONS
        )
        self._stack.push_async_callback(database.close)
        metrics = CallMetrics(CollectorRegistry())
        calls = Calls(database, Live(), Upkeep(database), metrics, Clocks(metrics))
        await self._run(calls.run(_clock))
        inbound = Inbound(calls, metrics, _clock)
        await self._run(inbound.run())
        return await self._server(inbound, metrics)

    async def http(self, dsn: str) -> int:
        """The public listener. How much one network or site may ask in a minute is raised, not left out."""
        # a router that has run for a while has formatted every number of its pools
        for number in range(1, workload.NUMBERS + 1):
            phone.national(workload.e164(number))
            phone.international(workload.e164(number))
        database = await Database.connect(dsn, connections=OTHER_CONNECTIONS)
        self._stack.push_async_callback(database.close)
        metrics = CallMetrics(CollectorRegistry())
        live, upkeep = Live(), Upkeep(database)
        visits = Visits(database, upkeep)
        await self._run(visits.run())
        await self._run(upkeep.run(_clock))
        parts = Parts(
            visits=visits,
            inventory=Inventory(database),
            access=Access(database),
            reports=Reports(database),
            snippets=Snippets(database),
            recordings=Recordings(database, live, metrics, None),
            live=live,
            readiness=Readiness({}),
            registry=CollectorRegistry(),
            database=database,
            clock=_clock,
            public_url="http://127.0.0.1",
            staff_url="http://127.0.0.1",
            version="bench",
            trusted_proxies=_LOOPBACK,
            limits=Limits(network_visits=10**9, network_signals=10**9, site_visits=10**9),
        )
        public, _ = applications(parts)
        address = Address(host="127.0.0.1", port=0)
        listener = await self._stack.enter_async_context(
            Listener(public, address, trusted=_LOOPBACK)
        )
        return listener.port

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
            "http": program.http,
            "visits": program.visits,
        }
        port = await kinds[name](*arguments)
        spare_the_collector()
        print(json.dumps({"port": port}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    # Its log is written as ever, to where nobody looks; standard output is for what is measured.
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        log.configure(style="json", stream=nowhere)
        uvloop.run(_serve(sys.argv[1], sys.argv[2:]))
