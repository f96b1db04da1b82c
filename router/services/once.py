"""A write that is sent twice is made once: the change, its audit entries and its answer are one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from router.domain.errors import CallRouterError
from router.domain.model import OrganisationId
from router.store import administration, kept_answers
from router.store.database import Database, deadline

# Administrators wait for each other anyway; visitors' connections are not for them.
AT_ONCE = 2
PATIENCE = 10.0


class KeyReused(CallRouterError):
    """This Idempotency-Key was sent with another request within the last 24 hours."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A write; `digest` is of all that was asked, `key` names it where its sender may repeat it."""

    organisation_id: OrganisationId
    key: str | None
    digest: bytes
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Written:
    """The answer; `replayed`: to an earlier request of the same key."""

    status: int
    body: bytes
    etag: str | None = None
    replayed: bool = False


class Once:
    """Makes writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def write(
        self,
        asked: Asked,
        work: Callable[[Database], Awaitable[Written]],
        *,
        patience: float = PATIENCE,
    ) -> Written:
        """What `work` answers; it is given a database within the transaction. A refusal changes nothing and
        is not kept. Raises KeyReused, StoreUnavailable, and what `work` raises."""
        return await deadline(self._write(asked, work), patience, what="a change")

    async def _write(self, asked: Asked, work: Callable[[Database], Awaitable[Written]]) -> Written:
        async with self._turns, self._database.joined() as joined:
            if asked.key is None:
                await administration.lock(joined)
                return await work(joined)
            owner, key = asked.organisation_id, asked.key
            if not await kept_answers.begin(joined, owner, key, asked.digest, asked.now):
                return await self._again(joined, asked, key)
            await administration.lock(joined)
            written = await work(joined)
            await kept_answers.keep(
                joined, owner, key, status=written.status, body=written.body, etag=written.etag
            )
            return written

    async def _again(self, joined: Database, asked: Asked, key: str) -> Written:
        found = await kept_answers.kept(joined, asked.organisation_id, key)
        if found is None or found.status is None or found.digest != asked.digest:
            raise KeyReused
        return Written(status=found.status, body=found.body or b"", etag=found.etag, replayed=True)
