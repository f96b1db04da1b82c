"""What is set up, as lists."""

from __future__ import annotations

from router.domain.model import OrganisationId, Site, Target
from router.services.checks import Ref
from router.services.work import organisation_called, site_called
from router.store import administration as store
from router.store import channels as channel_store
from router.store.administration import NumberRow, OrganisationRow, PoolRow, TrunkRow
from router.store.channels import ChannelRow, DefaultNumberRow
from router.store.database import Database, deadline


class Inventory:
    """Lists of one organisation's things; without a name, of the only organisation there is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def organisations(self) -> list[OrganisationRow]:
        return await store.organisations(self._database)

    async def trunks(self, organisation: str | None = None) -> list[TrunkRow]:
        return await store.trunks(self._database, await self._id(organisation))

    async def targets(self, organisation: str | None = None) -> list[Target]:
        return await store.targets(self._database, await self._id(organisation))

    async def sites(self, organisation: str | None = None) -> list[Site]:
        return await store.sites(self._database, await self._id(organisation))

    async def site(self, name_or_key: str, organisation: str | None = None) -> Site:
        """One of them. Raises FieldError where there is no such site."""
        return site_called(await self.sites(organisation), name_or_key)

    async def pools(self, organisation: str | None = None) -> list[PoolRow]:
        return await store.pools(self._database, await self._id(organisation))

    async def channels(self, organisation: Ref | None = None) -> list[ChannelRow]:
        """Its own ones, in the order in which they are asked; the ready-made ones come after them."""
        return await channel_store.channels(self._database, await self._id(organisation))

    async def default_numbers(self, organisation: Ref | None = None) -> list[DefaultNumberRow]:
        return await channel_store.default_numbers(self._database, await self._id(organisation))

    async def numbers(self, organisation: str | None = None) -> list[NumberRow]:
        return await store.numbers(self._database, await self._id(organisation))

    async def origin_known(self, origin: str) -> bool:
        """Whether any site has pages there. Raises StoreUnavailable."""
        return await deadline(
            store.origin_known(self._database, origin), 1.0, what="origin of a page"
        )

    async def _id(self, organisation: Ref | None) -> OrganisationId:
        return (await organisation_called(self._database, organisation)).id
