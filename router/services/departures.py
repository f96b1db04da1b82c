"""Numbers that waited for their reservation to end go to their new pool, or out of use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

import structlog

from router.domain.errors import StoreUnavailable
from router.domain.noise import ROUTER
from router.store import administration, moves, standings
from router.store.database import Database, Queries, deadline
from router.store.moves import Due

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
_AT_ONCE = 500
_PATIENCE = 10.0


class Departures:
    """`run` is a task of every router; a round does what is due, once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, clock: Callable[[], datetime]) -> NoReturn:
        """A round every other second, for ever; a database that is away is waited for."""
        while True:
            try:
                await deadline(self.round(clock()), _PATIENCE, what="moves of numbers")
            except StoreUnavailable as error:
                log.warning("moves of numbers have to wait", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def round(self, now: datetime) -> int:
        """How many numbers went."""
        async with self._database.transaction() as queries:
            due = await moves.waiting(queries, now, _AT_ONCE)
            # a person has released it, or put it elsewhere, meanwhile
            stayed = [one.id for one in due if one.standing != "quarantined"]
            if stayed:
                await moves.forget_wait(queries, stayed)
            gone = [one for one in due if one.standing == "quarantined"]
            for one in gone:
                await _go(queries, one, now)
        if gone:
            log.info("numbers went", numbers=[one.e164 for one in gone])
        return len(gone)


async def _go(queries: Queries, one: Due, now: datetime) -> None:
    if one.moves_to is not None:
        await moves.put(queries, [one.id], one.moves_to, now)
        why, was, standing = "moved: nobody holds it any more", "quarantined", None
    else:
        why, was, standing = "withdrawn: its time is over", None, "withdrawn"
    await standings.tell(
        queries,
        one.organisation_id,
        [one.e164],
        was=was,
        standing=standing,
        why=why,
        actor=ROUTER,
        at=now,
    )
    if one.moves_to is None:
        await administration.withdraw_numbers(queries, one.organisation_id, [one.e164], now)
