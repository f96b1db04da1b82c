"""The recordings' disk is full: the call goes on, and its recording is marked truncated."""

from __future__ import annotations

import asyncio
import os
import pwd
import subprocess

import pytest

from tests.adversity.test_router_down import spring
from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Stands for the full disk: no file of Asterisk's may grow beyond it. A second of sound has 32,000 bytes.
ROOM = 80_000


def limit_files(pid: int, size: str) -> None:
    """Bound the files of a running process, as its own user (root may lack the right to)."""
    owner = os.stat(f"/proc/{pid}").st_uid
    leash = []
    if owner != os.geteuid():
        group = str(pwd.getpwuid(owner).pw_gid)
        leash = ["setpriv", f"--reuid={owner}", f"--regid={group}", "--clear-groups"]
    subprocess.run([*leash, "prlimit", f"--pid={pid}", f"--fsize={size}:"], check=True)


async def test_the_call_goes_on_and_its_recording_is_truncated(system: System) -> None:
    """Five seconds of talk, room for two and a half."""
    visit = await system.visit()
    caller = system.new_caller()
    call = await system.dial(visit.number, caller)
    await call.answered()
    await asyncio.to_thread(limit_files, system.asterisk.pid, str(ROOM))
    try:
        await asyncio.sleep(5)
        assert not call.over.is_set(), "the call was cut off"
        call.hang_up()
        record = await system.record(caller)
    finally:
        await asyncio.to_thread(limit_files, system.asterisk.pid, "unlimited")

    assert spring(record)
    assert record["talk_ms"] >= 4800
    (recording,) = record["recordings"]
    assert recording["truncated"]
    assert recording["bytes"] <= ROOM
