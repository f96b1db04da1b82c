"""Web properties."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from router.domain import phone
from router.domain.model import Site, SiteId
from router.services import checks
from router.services.administration.desk import UNSAVED, Desk, difference, let_go
from router.services.checks import Ref
from router.services.work import By
from router.store import administration as store
from router.store import editing

_ZONE = "Europe/Moscow"


class SiteFields(TypedDict, total=False):
    """What is said of a site; what is not said keeps its value."""

    name: str
    origins: Sequence[str]
    region: str
    time_zone: str
    default_number: str
    page_numbers: Sequence[str]
    target: Ref


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
        target: Ref,
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
            problems.add("time_zone", f"there is no {time_zone!r}", _ZONE)
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

    async def edit_site(self, site: Ref, *, by: By, **fields: Unpack[SiteFields]) -> Site:
        """Its pages are served by what it says then, within some seconds. Where its pages show the default
        number and another one is given, they are taken to show that; its key stays."""
        given: Mapping[str, Any] = fields
        problems = checks.Problems()
        values: dict[str, Any] = {}
        async with self._work(by) as work:
            before = await work.site(site)
            country = before.region
            if "name" in given:
                values["name"] = problems.check(checks.name, given["name"], example="shop")
            if "origins" in given:
                values["origins"] = problems.check(checks.origins, given["origins"])
            if "region" in given:
                values["region"] = problems.check(checks.region, given["region"])
                country = values["region"] or country
            if "default_number" in given:
                values["default_number"] = problems.check(
                    phone.parse, given["default_number"], country, field="default_number"
                )
                if before.page_numbers == (before.default_number,):
                    values["page_numbers"] = (values["default_number"],)
            if "page_numbers" in given:
                values["page_numbers"] = problems.check(
                    checks.numbers, given["page_numbers"], country, field="page_number"
                )
            if "time_zone" in given:
                values["time_zone"] = given["time_zone"]
                if not await store.time_zone_known(work.queries, given["time_zone"]):
                    problems.add("time_zone", f"there is no {given['time_zone']!r}", _ZONE)
            if "target" in given:
                line = await problems.find(work.target(given["target"]))
                values["target_id"] = line.id if line else None
            problems.refuse()
            after = replace(before, **values)
            if changes := difference(before, after):
                await editing.edit_site(work.queries, after)
                await work.note("site.edit", before.name, changes)
            return after

    async def delete_site(self, site: Ref, *, by: By) -> None:
        """Raises StillNeeded once it has pools, or visits and calls: history is kept."""
        async with self._work(by) as work:
            found = await work.site(site)
            held = await editing.held_by(work.queries, work.organisation_id, "site", found.id)
            let_go("site", found.name, held)
            await editing.delete(work.queries, work.organisation_id, "site", found.id)
            await work.note("site.delete", found.name, {"id": found.id, "key": found.key})
