"""Commands about stock, codes and numbering plans, as they are typed; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.services.test_administration_cli import Command, command

__all__ = ["command"]


async def test_a_file_of_numbers_goes_in_and_out(command: Command, tmp_path: Path) -> None:
    """A dry run first; what would be refused is told by line, on stderr."""
    file, copy, wrong = (tmp_path / name for name in ("in.csv", "out.csv", "wrong.csv"))
    file.write_text("number,block_id,contaminated,standing\n1-315-658-2,b,017,listening\n")
    wrong.write_text("number,pool\n+74951110001,nowhere\n12,\n")
    await asyncio.to_thread(command, "organisation add Acme")
    tried = await asyncio.to_thread(command, f"number import {file} --dry-run")
    done = await asyncio.to_thread(command, f"number import {file}")
    refused = await asyncio.to_thread(command, f"number import {wrong}")
    missing = await asyncio.to_thread(command, f"number import {tmp_path}/nothing.csv")
    written = await asyncio.to_thread(command, f"number export {copy}")
    printed = await asyncio.to_thread(command, "number export -")
    bare = await asyncio.to_thread(command, "number export")

    assert tried.stdout.splitlines() == [
        "999 numbers would be taken in, of 1 lines, 1 blocks",
        "  999 listening",
        "left out: 1 contaminated, 0 ported",
    ]
    assert done.stdout.startswith("999 numbers taken in")
    assert [line.split(": ")[1] for line in refused.stderr.splitlines()] == [
        "line 2, pool",
        "line 3, number",
    ]
    assert (refused.exit_code, missing.exit_code) == (2, 2)
    assert "No such file" in missing.stderr
    assert written.exit_code == 0
    assert printed.stdout == bare.stdout == copy.read_text()
    assert "+13156582xxx,b,,US,,017," in printed.stdout


async def test_codes_and_plans(command: Command, tmp_path: Path) -> None:
    """A code is changed and listed; a plan is loaded and asked."""
    plan = tmp_path / "ru.csv"
    plan.write_text("prefix,region,operator\n916,RU-MOW,MTS\n")
    await asyncio.to_thread(command, "organisation add Acme")
    await asyncio.to_thread(command, "number add +13156582001")
    changed = await asyncio.to_thread(command, "code change 1-315-658 1-680-658 --until 2027-06-01")
    codes = await asyncio.to_thread(command, "code list")
    shown = await asyncio.to_thread(command, "number show +16806582001")
    ended = await asyncio.to_thread(command, "code end 1-315-658")
    loaded = await asyncio.to_thread(command, f"plan import {plan} --country ru")
    plans = await asyncio.to_thread(command, "plan list")
    asked = await asyncio.to_thread(command, "plan lookup +79161234567")

    assert changed.stdout.startswith("1 numbers change from 1-315-658 to 1-680-658")
    assert "+1315658  +1680658" in codes.stdout
    assert shown.exit_code == 0
    assert ended.exit_code == 2  # in the very moment in which it began
    assert loaded.stdout == "1 ranges of RU are loaded\n"
    assert plans.stdout.splitlines()[1].split()[:2] == ["RU", "1"]
    assert asked.stdout.splitlines()[1].split() == ["RU-MOW", "MTS"]
