"""What is set up, page by page, for one organisation."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TypeVar

from router.domain.errors import NotFound
from router.domain.model import OrganisationId
from router.services.work import organisation_called
from router.store import listing as store
from router.store import snippets
from router.store.administration import OrganisationRow
from router.store.database import Database, deadline
from router.store.listing import AuditLine, NumberLine, PoolLine, SiteLine, TargetLine, TrunkLine
from router.store.snippets import SnippetLine

T = TypeVar("T")
PATIENCE = 5.0


class Listing:
    """Lists of at most `most`, of what comes `after` an id; and things by their ids. Every reading raises
    StoreUnavailable, that of one thing NotFound."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def organisation(self, owner: OrganisationId) -> OrganisationRow:
        return await soon(organisation_called(self._database, owner))

    async def trunks(self, owner: OrganisationId, *, after: int, most: int) -> list[TrunkLine]:
        return await soon(store.trunks(self._database, owner, after=after, most=most))

    async def trunk(self, owner: OrganisationId, identity: int) -> TrunkLine:
        return _one(await soon(store.trunks(self._database, owner, identity=identity)))

    async def targets(self, owner: OrganisationId, *, after: int, most: int) -> list[TargetLine]:
        return await soon(store.targets(self._database, owner, after=after, most=most))

    async def target(self, owner: OrganisationId, identity: int) -> TargetLine:
        return _one(await soon(store.targets(self._database, owner, identity=identity)))

    async def sites(self, owner: OrganisationId, *, after: int, most: int) -> list[SiteLine]:
        return await soon(store.sites(self._database, owner, after=after, most=most))

    async def site(self, owner: OrganisationId, identity: int) -> SiteLine:
        return _one(await soon(store.sites(self._database, owner, identity=identity)))

    async def snippet(self, owner: OrganisationId, site: int) -> SnippetLine:
        return _one(await soon(snippets.of_site(self._database, owner, site)))

    async def pools(
        self,
        owner: OrganisationId,
        *,
        after: int,
        most: int,
        site_id: int | None = None,
        kind: str | None = None,
    ) -> list[PoolLine]:
        work = store.pools(
            self._database, owner, after=after, most=most, site_id=site_id, kind=kind
        )
        return await soon(work)

    async def pool(self, owner: OrganisationId, identity: int) -> PoolLine:
        return _one(await soon(store.pools(self._database, owner, identity=identity)))

    async def numbers(
        self,
        owner: OrganisationId,
        *,
        after: int,
        most: int,
        pool_id: int | None = None,
        site_id: int | None = None,
        standing: str | None = None,
        withdrawn: bool | None = None,
    ) -> list[NumberLine]:
        work = store.numbers(
            self._database,
            owner,
            after=after,
            most=most,
            pool_id=pool_id,
            site_id=site_id,
            standing=standing,
            withdrawn=withdrawn,
        )
        return await soon(work)

    async def number(self, owner: OrganisationId, e164: str) -> NumberLine:
        found = await soon(store.number(self._database, owner, e164))
        return _one([found] if found else [])

    async def audit(
        self,
        owner: OrganisationId,
        *,
        before: int,
        most: int,
        action: str | None = None,
        actor: str | None = None,
        subject: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditLine]:
        work = store.audit(
            self._database,
            owner,
            before=before,
            most=most,
            action=action,
            actor=actor,
            subject=subject,
            since=since,
            until=until,
        )
        return await soon(work)


async def soon(work: Awaitable[T]) -> T:
    return await deadline(work, PATIENCE, what="a list")


def _one(found: Sequence[T]) -> T:
    if not found:
        raise NotFound
    return found[0]
