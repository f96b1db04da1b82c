"""Two other ways to hand out a number, for comparison: one statement per request with SKIP LOCKED, and
the naive one that is wrong.

Both write what a visit has to leave behind: a session, the number's new holder, and the history row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg

from router.store import queries
from tests.bench import workload

SQL = {name: query.sql for name, query in queries.load(Path(__file__).with_name("queries")).items()}


@dataclass(frozen=True, kw_only=True)
class Given:
    """One number handed out; None is an overflow."""

    e164: str | None
    at: datetime
    until: datetime | None


class SkipLocked:
    """Longest idle, one statement for each request."""

    def __init__(self, pool: asyncpg.Pool, hold: timedelta) -> None:
        self._pool = pool
        self._hold = hold

    async def __call__(self, visit: int, now: datetime) -> Given:
        until = now + self._hold
        key, visitor = uuid4(), uuid4()
        e164 = await self._pool.fetchval(
            SQL["handout.skip_locked"], key, visitor, now, workload.page(visit), until
        )
        return Given(e164=e164, at=now, until=until)


class Naive:
    """Reads a free number, then takes it: what comes between goes unseen."""

    def __init__(self, pool: asyncpg.Pool, hold: timedelta) -> None:
        self._pool = pool
        self._hold = hold

    async def __call__(self, visit: int, now: datetime) -> Given:
        until = now + self._hold
        session = await self._pool.fetchval(
            SQL["handout.begin_session"], uuid4(), uuid4(), now, workload.page(visit)
        )
        free = await self._pool.fetchrow(SQL["handout.look_for_free"])
        if free is None:
            return Given(e164=None, at=now, until=None)
        await self._pool.execute(SQL["handout.take"], free["id"], session, now, until)
        return Given(e164=free["e164"], at=now, until=until)


async def no_reset(_connection: object) -> None:
    """As our pool does: the usual reset is a round trip."""
