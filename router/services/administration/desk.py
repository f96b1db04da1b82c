"""What every part of the administration begins with: one change at a time, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from router.services.work import By, Work, organisation_called
from router.store import administration as store
from router.store.database import Database

UNSAVED = 0  # the id of a value that has no row yet


class Desk:
    """Where an administrator's change is made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def _work(self, by: By) -> AsyncIterator[Work]:
        """One change: committed with its audit entry at the end, or not at all."""
        async with self._database.transaction() as queries:
            await store.lock(queries)
            organisation = await organisation_called(queries, by.organisation)
            yield Work(queries=queries, organisation_id=organisation.id, by=by)
