"""Free numbers read ahead: fewer readings, and no visitor the worse for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

import pytest

from router.domain.model import PoolId
from router.services import shelf
from router.services.visits import Visits
from router.store import numbers
from router.store.database import Database, Queries
from router.store.numbers import Read, Scan
from tests.company import APool, a_visit, e164, set_up
from tests.services.conftest import serving


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many free numbers each reading found."""
    counts: list[int] = []
    read = numbers.open_numbers

    async def counted(
        queries: Queries, scans: Mapping[PoolId, Scan], *, beyond: int = 0
    ) -> dict[PoolId, list[Read]]:
        found = await read(queries, scans, beyond=beyond)
        counts.append(sum(map(len, found.values())))
        return found

    monkeypatch.setattr(numbers, "open_numbers", counted)
    return counts


async def test_one_reading_serves_several_visits(
    database: Database, now: datetime, readings: list[int]
) -> None:
    """In the order in which they have been free, as if each had been read for itself."""
    await set_up(database, now, APool(numbers=range(1, 21)))
    async with serving(Visits(database)) as visits:
        given = [(await visits.visit(a_visit(), now)).number for _ in range(5)]

    assert given == [e164(n) for n in range(1, 6)]
    assert readings == [9]


async def test_what_another_router_took_is_not_given_again(
    database: Database, now: datetime, readings: list[int]
) -> None:
    """It is found out when the number is to be taken; the visit is decided again on a new reading."""
    await set_up(database, now, APool(numbers=range(1, 21)))
    async with serving(Visits(database)) as one, serving(Visits(database)) as other:
        given = [(await router.visit(a_visit(), now)).number for router in (one, other, one, other)]

    assert len(set(given)) == 4
    assert len(readings) > 2


async def test_what_was_read_long_ago_is_read_again(
    database: Database, now: datetime, readings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a number that was added would never be seen."""
    monkeypatch.setattr(shelf, "_LASTS", 0.05)
    await set_up(database, now, APool(numbers=range(1, 21)))
    async with serving(Visits(database)) as visits:
        await visits.visit(a_visit(), now)
        await asyncio.sleep(0.06)
        await visits.visit(a_visit(), now)

    assert len(readings) == 2
