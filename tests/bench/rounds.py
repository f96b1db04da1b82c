"""One round of load on a server in a child process: rate, latencies, and what the server spent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.bench import machine


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Seconds throughout; `cpu_each` is the server process's own CPU time per answer."""

    rate: float
    p50: float
    p99: float
    cpu_each: float
    counts: Mapping[str, int]


class Server(Protocol):
    """Anything with a process id."""

    @property
    def pid(self) -> int: ...


async def load(
    server: Server, kind: str, port: int, connections: int, *rest: str, seconds: float
) -> Measured:
    """Run a generator against `server` on the cores that are not the server's."""
    before = machine.cpu_seconds(server.pid)
    generator = machine.Child(
        *("tests.bench.load", kind, str(port), str(connections), str(seconds), *rest),
        cores=machine.OTHER_CORES,
    )
    try:
        result = await asyncio.to_thread(generator.answer, seconds + 30)
    finally:
        generator.stop()
    spent = machine.cpu_seconds(server.pid) - before
    return Measured(
        rate=result["rate"],
        p50=result["p50"],
        p99=result["p99"],
        cpu_each=spent / result["count"],
        counts=result["counts"],
    )
