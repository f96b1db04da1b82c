"""The background round: noisy numbers out of rotation, quiet ones back, idle ones to the shared pool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn

import structlog

from router.domain import hygiene
from router.domain.errors import StoreUnavailable
from router.domain.hygiene import Step
from router.domain.model import OrganisationId
from router.domain.noise import ROUTER, Noise, judge
from router.domain.organisation_settings import OrganisationSettings
from router.services.checks import Ref
from router.services.shared_pool import SharedPool
from router.services.work import organisation_called
from router.store import administration, noise, organisation_settings, standings
from router.store.database import Database, deadline
from router.store.standings import Change

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
# a router that has just begun has visitors and calls to see to
FIRST = timedelta(minutes=1)
_LONGEST = timedelta(minutes=10)


class Hygiene:
    """One for each router process; what several do at once is done once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shared_pool = SharedPool(database)

    async def noise(self, now: datetime, organisation: Ref | None = None) -> list[Noise]:
        """The verdict on each number that can be noisy, the noisiest first."""
        found = await organisation_called(self._database, organisation)
        wanted = await organisation_settings.load(self._database, found.id)
        return await self._judged(found.id, wanted, now)

    async def round(self, now: datetime) -> None:
        """Everything that is due now, for every organisation. Raises StoreUnavailable."""
        for organisation in await administration.organisations(self._database):
            await self.clean(organisation.id, now)
            for idle in await self._shared_pool.take_back(organisation.id, now):
                log.info("number taken back", number=idle.e164, site=idle.site, pool=idle.pool)

    async def clean(self, organisation_id: OrganisationId, now: datetime) -> list[Step]:
        """Quarantine, listening and rest of one organisation's numbers; returns what was done."""
        wanted = await organisation_settings.load(self._database, organisation_id)
        due = hygiene.steps(await self._judged(organisation_id, wanted, now), wanted, now)
        if not due:
            return []
        changes = [
            Change(
                number_id=step.noise.heard.number_id,
                was=step.noise.heard.standing,
                standing=step.standing,
                why=step.why,
            )
            for step in due
        ]
        made = await standings.change(self._database, changes, actor=ROUTER, at=now)
        done = [step for step in due if step.noise.heard.number_id in made]
        for step in done:
            log.info(
                "number stands elsewhere",
                number=step.noise.heard.e164,
                was=step.noise.heard.standing,
                standing=step.standing,
                why=step.why,
            )
        return done

    async def run(self, clock: Callable[[], datetime]) -> NoReturn:
        """A round every hour, for ever; a database that is away is waited for."""
        await asyncio.sleep(FIRST.total_seconds())
        while True:
            try:
                await deadline(self.round(clock()), _LONGEST.total_seconds(), what="hygiene")
            except StoreUnavailable as error:
                log.warning("hygiene has to wait", error=str(error))
            await asyncio.sleep(EVERY.total_seconds())

    async def _judged(
        self, organisation_id: OrganisationId, wanted: OrganisationSettings, now: datetime
    ) -> list[Noise]:
        return judge(await noise.heard(self._database, organisation_id, wanted, now), wanted, now)
