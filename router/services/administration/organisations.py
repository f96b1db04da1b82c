"""Organisations: the customers of an installation."""

from __future__ import annotations

from router.domain.model import OrganisationId
from router.services import checks
from router.services.administration.desk import Desk
from router.services.work import By, Work, organisation_called
from router.store import administration as store
from router.store import editing


class Organisations(Desk):
    """Who the customers are."""

    async def add_organisation(self, name: str, *, by: By) -> OrganisationId:
        name = checks.name(name)
        async with self._database.transaction() as queries:
            added = await store.put_organisation(queries, name, by.now)
            work = Work(queries=queries, organisation_id=added, by=by)
            await work.note("organisation.add", name, {})
            return added

    async def rename_organisation(self, name: str, *, by: By) -> None:
        """Another name for the organisation of `by`."""
        name = checks.name(name)
        async with self._work(by) as work:
            was = (await organisation_called(work.queries, work.organisation_id)).name
            if name != was:
                await editing.rename_organisation(work.queries, work.organisation_id, name)
                await work.note("organisation.edit", name, {"name": name, "was": {"name": was}})
