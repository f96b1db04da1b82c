"""Setting up: organisations, trunks, targets, sites, pools, numbers.

Everything is named as people name it: an organisation, target, trunk or pool by its name, a site by its
name or key, a number in any way it is written. A refusal is FieldError, or FieldErrors when there are
several. Every change leaves an entry in the audit trail.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Literal

from router.domain import phone
from router.domain.errors import FieldError
from router.domain.model import (
    OrganisationId,
    Pool,
    PoolId,
    PoolKind,
    Site,
    SiteId,
    Target,
    TargetId,
)
from router.services import checks
from router.services.work import By, Work, organisation_called
from router.store import administration as store
from router.store.database import Database

UNSAVED = 0  # the id of a value that has no row yet


class Administration:
    """What administrators do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def _work(self, by: By) -> AsyncIterator[Work]:
        async with self._database.transaction() as queries:
            await store.lock(queries)
            organisation = await organisation_called(queries, by.organisation)
            yield Work(queries=queries, organisation_id=organisation.id, by=by)

    async def add_organisation(self, name: str, *, by: By) -> OrganisationId:
        name = checks.name(name)
        async with self._database.transaction() as queries:
            added = await store.put_organisation(queries, name, by.now)
            work = Work(queries=queries, organisation_id=added, by=by)
            await work.note("organisation.add", name, {})
            return added

    async def add_trunk(self, name: str, *, target: str | None = None, by: By) -> int:
        """A carrier's connection; `target` takes its calls when nothing else is known."""
        name = checks.trunk_name(name)
        async with self._work(by) as work:
            target_id = (await work.target(target)).id if target else None
            added = await store.put_trunk(
                work.queries, work.organisation_id, name, target_id, by.now
            )
            await work.note("trunk.add", name, {"target": target})
            return added

    async def direct_trunk(self, name: str, *, target: str, by: By) -> None:
        """Another target for a trunk's calls."""
        async with self._work(by) as work:
            trunk, line = await work.trunk(name), await work.target(target)
            await store.direct_trunk(work.queries, work.organisation_id, trunk.name, line.id)
            await work.note("trunk.direct", name, {"target": target, "was": trunk.target})

    async def add_target(
        self,
        name: str,
        *,
        endpoint: str | None = None,
        number: str | None = None,
        trunk: str | None = None,
        region: str | None = None,
        ring_seconds: int = 25,
        by: By,
    ) -> Target:
        """A company line: a SIP `endpoint`, or a `number` reached through a `trunk`."""
        problems = checks.Problems()
        shown = problems.check(checks.name, name, example="office")
        problems.check(checks.between, "ring_seconds", ring_seconds, 1, 120)
        country = problems.check(checks.region, region) if region else None
        e164: str | None = None
        if (endpoint is None) == (number is None):
            problems.add("target", "give an endpoint or a number, one of the two", "office")
        elif endpoint is not None:
            problems.check(checks.endpoint, endpoint)
            if trunk is not None:
                problems.add("trunk", "an endpoint is reached without one")
        elif number is not None:
            e164 = problems.check(phone.parse_target, number, country, field="number")
            if trunk is None:
                problems.add("trunk", "a number is reached through one: say which", "carrier-1")
        problems.refuse()
        kind: Literal["endpoint", "pstn"] = "endpoint" if number is None else "pstn"
        async with self._work(by) as work:
            through = await work.trunk(trunk) if trunk else None
            if e164 and await store.numbers_among(work.queries, [e164]):
                raise FieldError(
                    "number",
                    f"{e164} is a tracking number of ours: calls to it would go round in circles",
                    phone.EXAMPLE,
                )
            target = Target(
                id=TargetId(UNSAVED),
                name=shown or "",
                kind=kind,
                endpoint=endpoint,
                e164=e164,
                trunk=trunk,
                ring_seconds=ring_seconds,
            )
            added = await store.put_target(
                work.queries,
                work.organisation_id,
                name=target.name,
                kind=kind,
                endpoint=endpoint,
                e164=e164,
                trunk_id=through.id if through else None,
                ring_seconds=ring_seconds,
                created_at=by.now,
            )
            await work.note("target.add", target.name, {"endpoint": endpoint, "number": e164})
            return replace(target, id=added)

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

    async def add_pool(
        self,
        name: str,
        *,
        site: str,
        kind: str = "dynamic",
        priority: int = 100,
        reservation_seconds: int = 900,
        rules: Sequence[str] = (),
        default_number: str | None = None,
        target: str | None = None,
        record: bool = True,
        source: str | None = None,
        medium: str | None = None,
        campaign: str | None = None,
        by: By,
    ) -> Pool:
        """Numbers that serve one purpose. `rules` are texts like ``source=google``; a static pool says
        in `source`, `medium`, `campaign` what its calls are credited to."""
        problems = checks.Problems()
        shown = problems.check(checks.name, name, example="google-ads")
        problems.check(checks.one_of, "kind", kind, PoolKind)
        problems.check(checks.between, "priority", priority, 0, 1_000_000)
        problems.check(checks.between, "reservation_seconds", reservation_seconds, 60, 604_800)
        parsed = problems.check(checks.rules, rules)
        if kind == "static" and not source:
            problems.add("source", "a static pool needs the one its calls are credited to", "maps")
        if kind == "dynamic" and (source or medium or campaign):
            problems.add("source", "a dynamic pool's calls are credited to the visit's own")
        problems.refuse()
        async with self._work(by) as work:
            home = await work.site(site)
            default = (
                phone.parse(default_number, home.region, field="default_number")
                if default_number
                else None
            )
            pool = Pool(
                id=PoolId(UNSAVED),
                organisation_id=work.organisation_id,
                site_id=home.id,
                name=shown or "",
                kind="static" if kind == "static" else "dynamic",
                policy="longest_idle",
                priority=priority,
                reservation_seconds=reservation_seconds,
                rules=parsed or (),
                default_number=default,
                target_id=(await work.target(target)).id if target else None,
                record=record,
                source=source,
                medium=medium,
                campaign=campaign,
            )
            added = await store.put_pool(work.queries, pool, by.now)
            await work.note("pool.add", pool.name, {"site": home.name, "kind": kind})
            return replace(pool, id=added)

    async def add_numbers(
        self,
        numbers: Sequence[str],
        *,
        pool: str | None = None,
        site: str | None = None,
        trunk: str | None = None,
        target: str | None = None,
        record: bool | None = None,
        region: str | None = None,
        by: By,
    ) -> tuple[str, ...]:
        """DIDs of ours, all or none of them; a withdrawn one comes back. Returns them as E.164."""
        country = checks.region(region) if region else None
        async with self._work(by) as work:
            row = await work.pool(pool, site) if pool else None
            e164s = checks.numbers(
                numbers, country or (row.region if row else None), field="number"
            )
            problems = checks.Problems()
            for clash in sorted(await store.targets_among(work.queries, e164s)):
                problems.add(
                    "number",
                    f"{clash} is a company line that calls are sent to: it cannot be tracked as well",
                    phone.EXAMPLE,
                )
            problems.refuse()
            taken = await store.put_numbers(
                work.queries,
                work.organisation_id,
                e164s,
                trunk_id=(await work.trunk(trunk)).id if trunk else None,
                pool_id=row.pool.id if row else None,
                target_id=(await work.target(target)).id if target else None,
                record=record,
                created_at=by.now,
            )
            for refused in e164s:
                if refused not in taken:
                    problems.add("number", f"{refused} is already registered", phone.EXAMPLE)
            problems.refuse()
            await work.note("number.add", pool or "no pool", {"numbers": list(e164s)})
            return e164s

    async def withdraw_numbers(
        self, numbers: Sequence[str], *, region: str | None = None, by: By
    ) -> tuple[str, ...]:
        """Out of use: nobody is shown them any more; calls to them are refused as unknown."""
        country = checks.region(region) if region else None
        e164s = checks.numbers(numbers, country, field="number")
        async with self._work(by) as work:
            gone = await store.withdraw_numbers(work.queries, work.organisation_id, e164s, by.now)
            problems = checks.Problems()
            for unknown in e164s:
                if unknown not in gone:
                    problems.add("number", f"{unknown} is not one of our numbers in use")
            problems.refuse()
            await work.note("number.withdraw", ", ".join(e164s), {"numbers": list(e164s)})
            return e164s
