"""SIPp: many calls at an even rate, placed by a program that is not ours."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tests.e2e.pbx import find_prefix

SCENARIOS = Path(__file__).parent / "scenarios"


def find_sipp() -> Path:
    """SIPp of the same installation as Asterisk, else the host's; fails where there is none."""
    inside = find_prefix() / "usr/bin/sipp"
    if inside.is_file():
        return inside
    if own := shutil.which("sipp"):
        return Path(own)
    raise AssertionError("no SIPp to test with: `make test` fetches one")


async def run_calls(
    remote: tuple[str, int],
    *,
    local: tuple[str, int],
    number: str,
    calls: int,
    rate: int,
    milliseconds: int,
    scenario: str = "call.xml",
    folder: Path,
) -> None:
    """Place `calls` calls at `rate` a second; fails with SIPp's own words unless all went well."""
    bound = calls / rate + milliseconds / 1000 + 15
    errors = folder / "sipp-errors.log"
    command = [
        *(find_sipp(), f"{remote[0]}:{remote[1]}", "-sf", SCENARIOS / scenario),
        *("-i", local[0], "-p", local[1], "-mi", local[0], "-s", number),
        *("-m", calls, "-r", rate, "-l", calls, "-d", milliseconds, "-nostdin"),
        *("-timeout", f"{bound:.0f}s", "-timeout_error", "-trace_err", "-error_file", errors),
    ]
    child = await asyncio.create_subprocess_exec(
        *(str(word) for word in command),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        status = await asyncio.wait_for(child.wait(), bound + 5)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    said = errors.read_text(errors="replace")[-800:] if errors.exists() else ""
    assert status == 0, f"SIPp ended with {status}: {said}"
