"""The shared pool by hand: a number for a pool, a number back from one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from router.domain import phone
from router.domain.errors import FieldError
from router.services import checks
from router.services.administration.desk import Desk
from router.services.checks import Ref
from router.services.codes import newest
from router.services.shared_pool import take_back_due
from router.services.work import By
from router.store import shared_pool as store
from router.store import standings

# whenever it was shown or called last: a person says that it goes
_ANY_TIME = datetime(9999, 1, 1, tzinfo=UTC)


class Sharing(Desk):
    """What the router does by itself, done by a person."""

    async def grow_pool(self, pool: Ref, *, site: Ref | None = None, by: By) -> str:
        """One number of the shared pool for a dynamic pool; returns it as E.164."""
        async with self._work(by) as work:
            found = (await work.pool(pool, site)).pool
            if found.kind == "static":
                raise FieldError(
                    "pool", f"{found.name} is static: its numbers are assigned by hand"
                )
            grown = await store.grow(work.queries, found.id, by.now, actor=by.actor, why="by hand")
            if grown is None:
                where = f" in {found.region}" if found.region else ""
                raise FieldError("pool", f"the shared pool holds no number for it{where}")
            return grown.e164

    async def take_back_due(self, *, by: By) -> tuple[str, ...]:
        """What the router takes back by itself every hour, now; returns them as E.164."""
        async with self._work(by) as work:
            taken = await take_back_due(work.queries, work.organisation_id, by.now, actor=by.actor)
            e164s = tuple(one.e164 for one in taken)
            if e164s:
                await work.note("number.take_back", ", ".join(e164s), {"why": "due"})
            return e164s

    async def take_back_numbers(
        self, numbers: Sequence[str], *, why: str = "", region: str | None = None, by: By
    ) -> tuple[str, ...]:
        """Numbers that came from the shared pool go to rest now, whatever the settings say; all of them or
        none. Returns them as E.164."""
        country = checks.region(region) if region else None
        e164s = checks.numbers(numbers, country, field="number")
        said = checks.reason(why) or "taken back by hand"
        async with self._work(by) as work:
            e164s = await newest(work.queries, e164s, by.now)
            found = await standings.find(work.queries, work.organisation_id, e164s)
            problems = checks.Problems()
            for e164 in e164s:
                row = found.get(e164)
                if row is None or row.withdrawn_at is not None:
                    problems.add("number", f"{e164} is not one of our numbers", phone.EXAMPLE)
                elif row.standing != "in_use" or row.grown_at is None:
                    problems.add(
                        "number", f"{e164} is no number that a site got from the shared pool"
                    )
                elif row.held:
                    problems.add("number", f"{e164} is on a visitor's page: try again later")
            problems.refuse()
            ids = {found[e164].id: e164 for e164 in e164s}
            went = await store.take_back(
                work.queries, list(ids), _ANY_TIME, why=said, actor=by.actor, at=by.now
            )
            for number_id, e164 in ids.items():
                if number_id not in went:
                    problems.add("number", f"{e164} is changing at this moment: try again")
            problems.refuse()
            await work.note("number.take_back", ", ".join(e164s), {"why": said})
            return e164s
