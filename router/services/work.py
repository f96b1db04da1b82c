"""One administrator's change in progress: who makes it, and finding things by their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.domain.channels import ready_made
from router.domain.errors import FieldError
from router.domain.model import OrganisationId, Site, Target
from router.services import checks
from router.services.checks import Ref
from router.store import administration as store
from router.store import audit, channels
from router.store.administration import OrganisationRow, PoolRow, TrunkRow
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class By:
    """Who changes something, when, and in which organisation: its name or id (needless where there is
    only one)."""

    actor: str
    now: datetime
    organisation: Ref | None = None


@dataclass(frozen=True, kw_only=True)
class Work:
    """One change in progress."""

    queries: Queries
    organisation_id: OrganisationId
    by: By

    async def note(self, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        await audit.add(
            self.queries,
            organisation_id=self.organisation_id,
            at=self.by.now,
            actor=self.by.actor,
            action=action,
            subject=subject,
            detail={k: v for k, v in detail.items() if v is not None},
        )

    async def target(self, ref: Ref, field: str = "target") -> Target:
        found = await store.targets(self.queries, self.organisation_id)
        return checks.named(field, ref, found, lambda row: row.name, lambda row: row.id)

    async def trunk(self, ref: Ref) -> TrunkRow:
        found = await store.trunks(self.queries, self.organisation_id)
        return checks.named("trunk", ref, found, lambda row: row.name, lambda row: row.id)

    async def site(self, ref: Ref) -> Site:
        return site_called(await store.sites(self.queries, self.organisation_id), ref)

    async def pool(self, ref: Ref, site: Ref | None = None) -> PoolRow:
        """By its id or name, and by its site where two sites have a pool of that name."""
        found = await store.pools(self.queries, self.organisation_id)
        if site is not None:
            site_id = (await self.site(site)).id
            found = [row for row in found if row.pool.site_id == site_id]
        if len([row for row in found if row.pool.name == ref]) > 1:
            raise FieldError("site", f"several sites have a pool {ref!r}: say which", "shop")
        return checks.named("pool", ref, found, lambda row: row.pool.name, lambda row: row.pool.id)


def site_called(sites: Sequence[Site], ref: Ref) -> Site:
    """The site of that key, else of that name or id. Raises FieldError where there is none."""
    for site in sites:
        if site.key == ref:
            return site
    return checks.named("site", ref, sites, lambda row: row.name, lambda row: row.id)


async def organisation_called(queries: Queries, ref: Ref | None) -> OrganisationRow:
    """The organisation of that name or id; without one the only one there is."""
    found = await store.organisations(queries)
    if ref is not None:
        return checks.named("organisation", ref, found, lambda row: row.name, lambda row: row.id)
    if len(found) == 1:
        return found[0]
    problem = "there is none yet" if not found else "there are several: say which"
    raise FieldError("organisation", problem, found[0].name if found else "Acme")


async def known_channels(queries: Queries, organisation_id: OrganisationId) -> frozenset[str]:
    """The keys of the ready-made channels and of the organisation's own."""
    own = await channels.channels(queries, organisation_id)
    return frozenset(one.key for one in (*ready_made(), *(row.channel for row in own)))
