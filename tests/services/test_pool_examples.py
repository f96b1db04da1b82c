"""The worked examples of docs/pools.md and docs/snippet.md, typed as they stand there; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from router.administration_cli import Invocation, app

Run = Callable[[str], Awaitable[str]]
DOCS = Path(__file__).parents[2] / "docs" / "pools.md"
# what the README has set up before
COMPANY = """
call-router organisation add Clearpane
call-router target add office --endpoint company
call-router trunk add carrier1 --target office
call-router site add clearpane --origin https://www.example.com --region RU --default-number "8 (495) 135-00-00" --target office
"""


def _commands(text: str) -> list[str]:
    return re.findall(r"^call-router (.+)$", text.replace("\\\n", " "), flags=re.MULTILINE)


@pytest.fixture
def run(dsn: str, now: datetime) -> Run:
    """Runs a command, which must not fail; returns what it said."""
    environment = {
        "CALL_ROUTER_DATABASE_URL": dsn,
        "CALL_ROUTER_STAFF_URL": "https://staff.example.com",
    }
    context = Invocation(environment=environment, clock=lambda: now)

    async def invoke(line: str) -> str:
        typed = shlex.split(line, comments=True)
        result = await asyncio.to_thread(CliRunner().invoke, app, typed, obj=context)
        assert (line, result.exit_code, result.stderr) == (line, 0, "")
        return str(result.stdout)

    return invoke


async def test_those_of_the_snippet_too(dsn: str, run: Run) -> None:
    """docs/snippet.md: two page numbers with a pool each, the cookie's domain, a number for who has no
    script."""
    commands = _commands((DOCS.parent / "snippet.md").read_text())
    for line in _commands(COMPANY) + commands:
        await run(line)
    connection = await asyncpg.connect(dsn)
    served = await connection.fetch(
        "SELECT pool.name, e164 FROM page_number JOIN pool ON pool.id = pool_id"
    )
    await connection.close()
    elsewhere = await run("pool which --site shop --url https://www.example.com/")

    assert len(commands) == 9
    assert [tuple(row) for row in served] == [("service", "+74951350011")]
    assert "pool     sales\n" in elsewhere


async def test_the_examples_work_as_they_stand(dsn: str, run: Run) -> None:
    """In their order; afterwards each pool serves whom it shall, by the policy it shall."""
    commands = _commands(DOCS.read_text())
    for line in _commands(COMPANY) + commands:
        await run(line)
    pools = (await run("pool list")).splitlines()[1:]
    page = "https://www.example.com/"

    connection = await asyncpg.connect(dsn)
    policies = dict(await connection.fetch("SELECT name, policy FROM pool WHERE kind = 'dynamic'"))
    bound = await connection.fetchval("SELECT binding FROM pool WHERE name = 'letters'")
    await connection.close()

    assert len(commands) == 19
    assert len(pools) == 9
    assert bound == ["source", "campaign"]
    assert policies == {
        "search": "balanced",
        "moscow": "exclusive",
        "letters": "longest_idle",
        "direct-ads": "uis",
        "social": "ringostat",
        "referrals": "mango",
        "visitors": "longest_idle",
    }
    for url, pool in {
        f"{page}?gclid=1": "search",
        f"{page}?utm_source=news&utm_medium=email": "letters",
        f"{page}?yclid=1": "direct-ads",
        page: "visitors",
    }.items():
        which = await run(f"pool which --site clearpane --url {shlex.quote(url)}")
        assert f"pool     {pool}\n" in which
