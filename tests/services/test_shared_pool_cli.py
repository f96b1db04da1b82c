"""`call-router shared …` and `call-router number noise`, as they are typed; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import datetime

from router.store.database import Database
from tests.company import APool, e164, set_up
from tests.services.number_history import days, grown, rang, shown, standing
from tests.services.test_administration_cli import Command, command

__all__ = ["command"]


async def test_a_number_into_the_shared_pool_and_round(
    command: Command, database: Database, now: datetime
) -> None:
    """Added, listed, given to a pool, taken back, logged, removed."""
    await set_up(database, now - days(90), APool(numbers=()))

    async def types(line: str) -> list[str]:
        result = await asyncio.to_thread(command, line)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout.splitlines()

    await types("number add +74950000001 +74950000002")
    assert await types("shared add +74950000001") == [
        "number +7 495 000-00-01 listening, then in the shared pool"
    ]
    assert await types("shared add +74950000002 --no-listen") == [
        "number +7 495 000-00-02 in the shared pool"
    ]
    listed = await types("shared list")
    assert [line.split("  ")[1:2] for line in listed[1:]] == [["listening"], ["in the shared pool"]]
    assert await types("shared grow visitors") == ["number +7 495 000-00-02 given to pool visitors"]
    assert await types("shared take-back") == ["nothing is due"]
    assert await types("shared take-back +74950000002") == ["number +7 495 000-00-02 resting"]
    assert "shop, visitors" in (await types("shared list"))[-1]
    logged = await types("shared log")
    assert [line.split()[-2:] for line in logged[1:]] == [["0", "resting"]]
    await types("number release +74950000001")
    assert await types("shared remove +74950000001") == [
        "number +7 495 000-00-01 out of the shared pool"
    ]


async def test_refusals(command: Command, database: Database, now: datetime) -> None:
    """A number that a person assigned does not go back; an empty shared pool gives nothing."""
    await set_up(database, now, APool(), APool(name="maps", kind="static", source="x", numbers=()))
    await grown(database, now - days(40), e164(2))
    await database._pool.execute(
        "UPDATE number SET holder_id = 1, reserved_until = $1 WHERE e164 = $2",
        now + days(1),
        e164(2),
    )

    refused = [
        (await asyncio.to_thread(command, line)).stderr
        for line in (
            "shared take-back +74950000001",
            "shared take-back +74950000002",
            "shared take-back +74950000009",
            "shared grow visitors",
            "shared grow maps",
            "shared add +74950000001",
        )
    ]

    assert [line.split("(")[0].strip() for line in refused] == [
        "error: number: +74950000001 is no number that a site got from the shared pool",
        "error: number: +74950000002 is on a visitor's page: try again later",
        "error: number: +74950000009 is not one of our numbers",
        "error: pool: the shared pool holds no number for it",
        "error: pool: maps is static: its numbers are assigned by hand",
        "error: number: +74950000001 belongs to a pool: the shared pool takes nobody's numbers",
    ]


async def test_dry_run_and_the_real_one(
    command: Command, database: Database, now: datetime
) -> None:
    """The dry run names what would go and what waits, and what the rule would have cost."""
    await set_up(database, now - days(90), APool(numbers=range(1, 3)))
    await grown(database, now - days(60), e164(1), e164(2))
    await shown(database, e164(1), now - days(50), now - days(49))
    await rang(database, e164(1), now - days(20))
    await shown(database, e164(2), now - days(21), now - days(20))

    await database._pool.execute(
        "UPDATE number SET monthly_cost = 150.5, currency = 'RUB' WHERE e164 = $1", e164(1)
    )

    dry = (await asyncio.to_thread(command, "shared take-back --dry-run")).stdout.splitlines()

    assert dry[1].startswith("+7 495 000-00-01  shop  visitors")
    assert dry[1].endswith("2026-10-05  2026-11-03  150.50 RUB  now")
    assert dry[2].endswith("later: this month's share is used up")
    assert dry[3] == "Those that would go now cost 150.50 RUB a month."
    assert dry[4].startswith("In the last 180 days numbers were idle for as long 2 times.")
    assert "1 within the rest" in dry[4]
    assert await standing(database, e164(1)) == ("in_use", 1)
    done = (await asyncio.to_thread(command, "shared take-back")).stdout
    assert done == "number +7 495 000-00-01 resting\n"
    logged = (await asyncio.to_thread(command, "shared log")).stdout.splitlines()
    assert logged[-1] == "These numbers cost 150.50 RUB a month."


async def test_noise(command: Command, database: Database, now: datetime) -> None:
    """Noisy numbers with their score and reasons; the quiet ones only when asked for."""
    await set_up(database, now - days(90), APool(numbers=range(1, 3)))
    await rang(database, e164(1), now - days(3), now - days(2), now - days(1))

    noisy = (await asyncio.to_thread(command, "number noise")).stdout.splitlines()
    every = (await asyncio.to_thread(command, "number noise --all")).stdout.splitlines()

    assert len(noisy) == 2
    assert noisy[1].split("  ")[:4] == ["+7 495 000-00-01", "shop", "visitors", "in use"]
    assert "dirty  3 calls after nobody had been shown it for 14 days; from 1 caller" in noisy[1]
    assert len(every) == 3
