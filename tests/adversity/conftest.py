"""One whole system per module; every test leaves it healed."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.system import System, new_system


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_system() -> AsyncIterator[System]:
    """Real PostgreSQL, Asterisk and router, for all tests of one module."""
    with tempfile.TemporaryDirectory(prefix="ct-", ignore_cleanup_errors=True) as name:
        async with new_system(Path(name)) as system:
            yield system


@pytest_asyncio.fixture(loop_scope="module")
async def system(shared_system: System) -> AsyncIterator[System]:
    """The system, healthy before the test; healed and idle after it."""
    yield shared_system
    if not shared_system.postgres.pid:
        shared_system.postgres.start()
    shared_system.postgres.thaw()
    if not shared_system.asterisk.running:
        shared_system.asterisk.start()
    shared_system.asterisk.thaw()
    if shared_system.router.running:
        shared_system.router.thaw()
    else:
        shared_system.router.start()
    await shared_system.router.ready()
    await shared_system.pbx.wait_reachable("company")
    await shared_system.pbx.idle()
    await asyncio.to_thread(shared_system.asterisk.cli, "dialplan set global CT_DOWN_UNTIL 0")
    shared_system.company.forget()
    shared_system.trunk.forget()
