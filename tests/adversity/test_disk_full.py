"""The recordings' disk is full: the call goes on, and its recording is marked truncated."""

from __future__ import annotations

import asyncio
import resource

import pytest

from tests.adversity.test_router_down import spring
from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Stands for the full disk: no file of Asterisk's may grow beyond it. A second of sound has 32,000 bytes.
ROOM = 80_000


async def test_the_call_goes_on_and_its_recording_is_truncated(system: System) -> None:
    """Five seconds of talk, room for two and a half."""
    visit = await system.visit()
    caller = system.new_caller()
    unlimited = resource.prlimit(system.asterisk.pid, resource.RLIMIT_FSIZE)
    call = await system.dial(visit.number, caller)
    await call.answered()
    resource.prlimit(system.asterisk.pid, resource.RLIMIT_FSIZE, (ROOM, unlimited[1]))
    try:
        await asyncio.sleep(5)
        assert not call.over.is_set(), "the call was cut off"
        call.hang_up()
        record = await system.record(caller)
    finally:
        resource.prlimit(system.asterisk.pid, resource.RLIMIT_FSIZE, unlimited)

    assert spring(record)
    assert record["talk_ms"] >= 4800
    (recording,) = record["recordings"]
    assert recording["truncated"]
    assert recording["bytes"] <= ROOM
