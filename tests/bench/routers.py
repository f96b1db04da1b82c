"""The router itself, as it is run: `python -m router serve` in a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from router.firstrun import process
from tests.bench import machine
from tests.conftest import free_port

_READY_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class RouterProcess:
    """A running router and its ports."""

    pid: int
    public: int
    staff: int
    agi: int
    log: Path

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


@asynccontextmanager
async def running(
    dsn: str, *, cores: set[int], settings: Mapping[str, str] | None = None
) -> AsyncIterator[RouterProcess]:
    """A router on `dsn` that is ready; stopped at the end."""
    public, staff, agi = free_port(), free_port(), free_port()
    given = {
        "DATABASE_URL": dsn,
        "HTTP_LISTEN": f"127.0.0.1:{public}",
        "STAFF_LISTEN": f"127.0.0.1:{staff}",
        "AGI_LISTEN": f"127.0.0.1:{agi}",
        "AMI_PORT": str(free_port()),
        "AMI_EVENTS_SECRET": "bench",
        "AMI_RECORDS_SECRET": "bench",
        "TRUSTED_PROXIES": "127.0.0.1",
        # one site has the visits of a thousand
        "SITE_VISITS_PER_MINUTE": "100000000",
        "POOL_RESERVATIONS_PER_MINUTE": "100000000",
        "NETWORK_VISITS_PER_MINUTE": "100000000",
        "LOG_FORMAT": "json",
        **(settings or {}),
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CALL_ROUTER")}
    with tempfile.TemporaryDirectory(prefix="call-router-bench-") as folder:
        log = Path(folder) / "router.log"
        child = process.start(
            [sys.executable, "-m", "router", "serve"],
            log=log,
            env={**ours, **{f"CALL_ROUTER_{name}": value for name, value in given.items()}},
            cwd=machine.ROOT,
        )
        machine.pin(child.pid, cores)
        try:
            await _ready(public, log)
            yield RouterProcess(pid=child.pid, public=public, staff=staff, agi=agi, log=log)
        finally:
            process.stop(child, within=5)


async def _ready(port: int, log: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            if answer.startswith(b"HTTP/1.1 200"):
                return
        except OSError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the router was not ready in {_READY_SECONDS} s:\n{process.tail(log, 20)}")
