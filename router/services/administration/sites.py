"""Web properties."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from router.domain import phone
from router.domain.model import Site, SiteId
from router.services import checks
from router.services.administration.desk import UNSAVED, Desk
from router.services.work import By
from router.store import administration as store


class Sites(Desk):
    """What visitors see."""

    async def add_site(
        self,
        name: str,
        *,
        origins: Sequence[str],
        region: str,
        time_zone: str,
        default_number: str,
        target: str,
        page_numbers: Sequence[str] = (),
        key: str | None = None,
        by: By,
    ) -> Site:
        """A web property. `page_numbers` are those its pages show and the snippet replaces; without
        them that is the default number."""
        problems = checks.Problems()
        shown = problems.check(checks.name, name, example="shop")
        known_origins = problems.check(checks.origins, origins)
        country = problems.check(checks.region, region)
        given_key = problems.check(checks.site_key, key) if key else secrets.token_urlsafe(12)
        default = problems.check(phone.parse, default_number, country, field="default_number")
        on_pages = problems.check(
            checks.numbers, page_numbers, country, field="page_number", required=False
        )
        if not await store.time_zone_known(self._database, time_zone):
            problems.add("time_zone", f"there is no {time_zone!r}", "Europe/Moscow")
        problems.refuse()
        async with self._work(by) as work:
            site = Site(
                id=SiteId(UNSAVED),
                organisation_id=work.organisation_id,
                key=given_key or "",
                name=shown or "",
                origins=known_origins or (),
                region=country or "",
                time_zone=time_zone,
                default_number=default or "",
                page_numbers=on_pages or ((default,) if default else ()),
                target_id=(await work.target(target)).id,
            )
            added = await store.put_site(work.queries, site, by.now)
            await work.note("site.add", site.name, {"key": site.key, "origins": site.origins})
            return replace(site, id=added)
