"""Organisations: the customers of an installation."""

from __future__ import annotations

from router.domain.model import OrganisationId
from router.services import checks
from router.services.administration.desk import Desk
from router.services.work import By, Work
from router.store import administration as store


class Organisations(Desk):
    """Who the customers are."""

    async def add_organisation(self, name: str, *, by: By) -> OrganisationId:
        name = checks.name(name)
        async with self._database.transaction() as queries:
            added = await store.put_organisation(queries, name, by.now)
            work = Work(queries=queries, organisation_id=added, by=by)
            await work.note("organisation.add", name, {})
            return added
