"""Sites kept in memory: one reading serves everybody who waits for it."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from router.domain.errors import StoreUnavailable
from router.services.directory import Directory
from router.store import sites
from router.store.database import Database


async def test_visits_wait_together_for_a_database_that_is_silent(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told within the second of one reading, not one after the other."""
    readings = 0

    async def silent(_queries: object) -> None:
        nonlocal readings
        readings += 1
        await asyncio.sleep(60)

    monkeypatch.setattr(sites, "directory", silent)
    directory = Directory(database)
    told = await asyncio.gather(
        *(directory.site("any", "https://any.example", now) for _ in range(12)),
        return_exceptions=True,
    )

    assert {type(error) for error in told} == {StoreUnavailable}
    assert readings == 1
