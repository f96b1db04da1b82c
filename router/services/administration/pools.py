"""Pools: numbers that serve one purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from router.domain import phone
from router.domain.model import Pool, PoolId, PoolKind
from router.services import checks
from router.services.administration.desk import UNSAVED, Desk
from router.services.work import By
from router.store import administration as store


class Pools(Desk):
    """Whom numbers serve, and how."""

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
