"""Sites, their pools, and the keys of reservation tokens, kept in memory for some seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from router.domain.errors import OriginRefused, UnknownSite
from router.domain.reservation_tokens import TokenKeys
from router.store import sites, token_keys
from router.store.database import Database, deadline
from router.store.sites import SiteView

# A key nobody knows is looked for again: the site may have been set up just now. No more often than this.
_UNKNOWN_AGAIN = timedelta(seconds=0.5)


class Directory:
    """What was set up is seen after `seconds` at the latest, in every router. `tokens` are as of the site that
    was asked for last."""

    def __init__(self, database: Database, *, seconds: float = 5) -> None:
        self._database = database
        self._lifetime = timedelta(seconds=seconds)
        self._views: Mapping[str, SiteView] = {}
        self.tokens = TokenKeys()
        self._loaded_at: datetime | None = None
        self._loading: asyncio.Task[None] | None = None

    async def site(self, key: str, origin: str, now: datetime) -> SiteView:
        """The site for a page of `origin`. Raises UnknownSite, OriginRefused, StoreUnavailable."""
        view = await self.view(key, now)
        if origin not in view.site.origins:
            raise OriginRefused
        return view

    async def view(self, key: str, now: datetime) -> SiteView:
        """The site, whoever asks. Raises UnknownSite, StoreUnavailable."""
        if self._older_than(self._lifetime, now):
            await self._load(self._lifetime, now)
        view = self._views.get(key)
        if view is None:
            await self._load(_UNKNOWN_AGAIN, now)
            view = self._views.get(key)
        if view is None:
            raise UnknownSite
        return view

    def _older_than(self, age: timedelta, now: datetime) -> bool:
        return self._loaded_at is None or not timedelta(0) <= now - self._loaded_at < age

    async def _load(self, age: timedelta, now: datetime) -> None:
        """Read anew what is older than `age`. Whoever comes meanwhile waits for the same reading, and so for
        no longer than its one second."""
        if self._older_than(age, now):
            if self._loading is None or self._loading.done():
                self._loading = asyncio.create_task(self._read(now))
            await asyncio.shield(self._loading)

    async def _read(self, now: datetime) -> None:
        await deadline(self._read_all(), 1, what="sites")
        self._loaded_at = now

    async def _read_all(self) -> None:
        views = await sites.directory(self._database)
        self.tokens = await token_keys.load(self._database)
        self._views = views
