"""Tracking numbers, one by one."""

from __future__ import annotations

from collections.abc import Sequence

from router.domain import phone
from router.services import checks
from router.services.administration.desk import Desk
from router.services.work import By
from router.store import administration as store
from router.store import standings


class Numbers(Desk):
    """Which numbers are ours."""

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
            await standings.tell(
                work.queries,
                work.organisation_id,
                e164s,
                was="withdrawn",
                why="added again",
                actor=by.actor,
                at=by.now,
            )
            await work.note("number.add", pool or "no pool", {"numbers": list(e164s)})
            return e164s

    async def withdraw_numbers(
        self, numbers: Sequence[str], *, region: str | None = None, by: By
    ) -> tuple[str, ...]:
        """Out of use: nobody is shown them any more; calls to them are refused as unknown."""
        country = checks.region(region) if region else None
        e164s = checks.numbers(numbers, country, field="number")
        async with self._work(by) as work:
            await standings.tell(
                work.queries,
                work.organisation_id,
                e164s,
                standing="withdrawn",
                why="withdrawn by hand",
                actor=by.actor,
                at=by.now,
            )
            gone = await store.withdraw_numbers(work.queries, work.organisation_id, e164s, by.now)
            problems = checks.Problems()
            for unknown in e164s:
                if unknown not in gone:
                    problems.add("number", f"{unknown} is not one of our numbers in use")
            problems.refuse()
            await work.note("number.withdraw", ", ".join(e164s), {"numbers": list(e164s)})
            return e164s
