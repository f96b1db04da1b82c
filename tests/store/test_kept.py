"""A connection that is kept between statements, and what becomes of it when the server ends it."""

from __future__ import annotations

import asyncio

from router.store.database import Database
from router.store.kept import Kept


async def test_a_connection_that_was_ended_is_replaced(database: Database) -> None:
    """The next statement does not notice."""
    kept = Kept(database._pool)
    ((first,),) = await kept.fetch("SELECT pg_backend_pid()")
    ((same,),) = await kept.fetch("SELECT pg_backend_pid()")
    await database._pool.execute("SELECT pg_terminate_backend($1)", first)
    await asyncio.sleep(0.2)
    ((other,),) = await kept.fetch("SELECT pg_backend_pid()")
    await kept.let_go()

    assert same == first
    assert other != first
