"""Connections that stay with those who make one statement after another.

A pool is asked for a connection, and given it back, around every statement; that takes as long as the
driver needs for a small one. Here the connection of one statement is kept for the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg


class Kept:
    """Connections of the pool, kept until something goes wrong on them; at most half of them while idle,
    or who asks the pool itself could wait for ever."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._most = max(1, pool.get_max_size() // 2)
        self._idle: list[Any] = []

    async def fetch(self, sql: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """One statement, a commit of its own."""
        connection = await self._connection()
        try:
            rows: Sequence[asyncpg.Record] = await connection.fetch(sql, *arguments)
        except BaseException:
            # also if nobody waits for it any more: the pool finds out what state it is in
            await self._pool.release(connection)
            raise
        if len(self._idle) < self._most:
            self._idle.append(connection)
        else:
            await self._pool.release(connection)
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """The first row of one statement, which is a commit of its own."""
        rows = await self.fetch(sql, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """The first value of its first row, or None."""
        row = await self.fetchrow(sql, *arguments)
        return row[0] if row is not None else None

    async def _connection(self) -> Any:
        while self._idle:
            connection = self._idle.pop()
            if _alive(connection):
                return connection
            await self._pool.release(connection)
        return await self._pool.acquire()

    async def let_go(self) -> None:
        """Give back what is not in use: the pool is closed when all are back."""
        while self._idle:
            await self._pool.release(self._idle.pop())


def _alive(connection: Any) -> bool:
    """False also for one that broke: the pool has taken it back, and it answers nothing any more."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False
