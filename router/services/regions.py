"""Where callers are: by numbering plans that somebody loaded, else by what every plan is known to say."""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, NoReturn

import structlog

from router.domain import phone, regions
from router.domain.errors import StoreUnavailable
from router.domain.model import SiteId
from router.domain.regions import CallerRegion
from router.store import plans as store
from router.store.database import Database, deadline
from router.store.plans import PlanRange

log = structlog.get_logger(__name__)

EVERY_SECONDS = 20.0
# rows are counted this long after they were made, so that none is passed over
_BEHIND = timedelta(minutes=1)
_PATIENCE = 30.0
DIGITS = 15


class CallerPlace(NamedTuple):
    """`region` is ISO 3166-2, or a country's code; None is unknown."""

    region: str | None = None
    operator: str | None = None


class _Plan:
    """A country's ranges in little memory: Russia's are some hundred thousand."""

    def __init__(self, version: int, found: Sequence[PlanRange]) -> None:
        self.version = version
        self._firsts = array("q", (one.first for one in found))
        self._lasts = array("q", (one.last for one in found))
        places = list(dict.fromkeys(CallerPlace(one.region, one.operator) for one in found))
        index = {place: i for i, place in enumerate(places)}
        self._places = places
        self._place_of = array("I", (index[CallerPlace(one.region, one.operator)] for one in found))

    def place(self, e164: str) -> CallerPlace | None:
        digits = int(e164[1:].ljust(DIGITS, "0"))
        at = bisect_right(self._firsts, digits) - 1
        if at < 0 or digits > self._lasts[at]:
            return None
        return self._places[self._place_of[at]]


class Regions:
    """In memory: an arriving call asks nobody. `run` keeps it new."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._plans: dict[str, _Plan] = {}
        self._calls: Mapping[SiteId, Mapping[str, int]] = {}

    def place(self, e164: str) -> CallerPlace:
        """What is known of a caller's number; a hidden or strange one is nowhere. Never raises."""
        if not phone.is_e164(e164):
            return CallerPlace()
        plan = self._plans.get(phone.country(e164) or "")
        found = plan.place(e164) if plan else None
        if found is None:
            return CallerPlace(regions.of_number(e164))
        return found if found.region else CallerPlace(regions.of_number(e164), found.operator)

    def region(self, e164: str) -> str | None:
        return self.place(e164).region

    def caller(self, e164: str, site_id: SiteId | None) -> CallerRegion | None:
        """A caller's region with the share of the site's callers who come from there; None if unknown."""
        code = self.region(e164)
        if code is None or site_id is None:
            return None
        known = self._calls.get(site_id, {})
        return CallerRegion(code=code, population=regions.population(code, known))

    async def run(self, clock: Callable[[], datetime]) -> NoReturn:
        """Count and read again, for ever; a database that is away is waited for."""
        while True:
            try:
                await deadline(self.round(clock()), _PATIENCE, what="regions of callers")
            except StoreUnavailable as error:
                log.warning("regions of callers have to wait", reason=str(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def round(self, now: datetime) -> None:
        """Add up calls by region, and read what was loaded meanwhile."""
        await store.count_regions(self._database, now - _BEHIND)
        if read := await self.read():
            log.info("numbering plans read", countries=read)

    async def read(self) -> list[str]:
        """What is loaded and counted; returns the countries whose plans are new."""
        read = []
        self._calls = await store.regions(self._database)
        there = await store.versions(self._database)
        for row in there:
            known = self._plans.get(row.country)
            if known is None or known.version != row.version:
                found = await store.ranges(self._database, row.country)
                # some hundred thousand ranges take a while, which no call shall wait for
                plan = await asyncio.to_thread(_Plan, row.version, found)
                self._plans[row.country] = plan
                read.append(row.country)
        for country in self._plans.keys() - {row.country for row in there}:
            del self._plans[country]
        return read
