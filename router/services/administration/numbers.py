"""Tracking numbers, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from router.domain import phone
from router.domain.errors import NoSuch
from router.services import checks
from router.services.administration.desk import Desk, difference
from router.services.checks import Ref
from router.services.codes import newest
from router.services.stock.fitting import page_number
from router.services.work import By
from router.store import administration as store
from router.store import editing, standings
from router.store.standings import Change


class NumberFields(TypedDict, total=False):
    """What is said of a number; what is not said stays. None says that there is none of its own."""

    trunk: Ref | None
    target: Ref | None
    record: bool | None


class Numbers(Desk):
    """Which numbers are ours."""

    async def add_numbers(
        self,
        numbers: Sequence[str],
        *,
        pool: Ref | None = None,
        site: Ref | None = None,
        trunk: Ref | None = None,
        target: Ref | None = None,
        record: bool | None = None,
        listen: bool = False,
        region: str | None = None,
        by: By,
    ) -> tuple[str, ...]:
        """DIDs of ours, all or none of them; a withdrawn one comes back. With `listen` they are shown to
        nobody until they are known to be quiet. Returns them as E.164."""
        country = checks.region(region) if region else None
        async with self._work(by) as work:
            row = await work.pool(pool, site) if pool else None
            e164s = checks.numbers(
                numbers, country or (row.region if row else None), field="number"
            )
            e164s = await newest(work.queries, e164s, by.now)
            problems = checks.Problems()
            for clash in sorted(await store.targets_among(work.queries, e164s)):
                problems.add(
                    "number",
                    f"{clash} is a company line that calls are sent to: it cannot be tracked as well",
                    phone.EXAMPLE,
                )
            sites = await store.sites(work.queries, work.organisation_id) if row else []
            for e164 in e164s:
                if row and (shown := page_number(e164, row.pool, sites)):
                    problems.add("number", shown, phone.EXAMPLE)
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
            if listen:
                rows = await standings.find(work.queries, work.organisation_id, e164s)
                changes = [
                    Change(number_id=rows[e164].id, was="in_use", standing="listening", why="new")
                    for e164 in e164s
                ]
                await standings.change(work.queries, changes, actor=by.actor, at=by.now)
            into = row.pool.name if row else "no pool"
            await work.note("number.add", into, {"numbers": list(e164s), "listen": listen or None})
            return e164s

    async def withdraw_numbers(
        self, numbers: Sequence[str], *, region: str | None = None, by: By
    ) -> tuple[str, ...]:
        """Out of use: nobody is shown them any more; calls to them are refused as unknown."""
        country = checks.region(region) if region else None
        e164s = checks.numbers(numbers, country, field="number")
        async with self._work(by) as work:
            e164s = await newest(work.queries, e164s, by.now)
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

    async def edit_number(
        self,
        number: str,
        *,
        region: str | None = None,
        by: By,
        **fields: Unpack[NumberFields],
    ) -> str:
        """Where one number's calls come from, go to, and whether they are recorded. Returns its E.164.
        Which pool it is in is no edit: numbers are moved."""
        e164 = phone.parse(number, checks.region(region) if region else None)
        given: Mapping[str, Any] = fields
        async with self._work(by) as work:
            [e164] = await newest(work.queries, [e164], by.now)
            before = await editing.number(work.queries, work.organisation_id, e164)
            if before is None:
                raise NoSuch("number", f"{e164} is not one of our numbers in use")
            values: dict[str, Any] = {}
            if "trunk" in given:
                trunk = given["trunk"]
                values["trunk_id"] = (await work.trunk(trunk)).id if trunk else None
            if "target" in given:
                target = given["target"]
                values["target_id"] = (await work.target(target)).id if target else None
            if "record" in given:
                values["record"] = given["record"]
            after = replace(before, **values)
            if changes := difference(before, after):
                await editing.edit_number(work.queries, work.organisation_id, after)
                await work.note("number.edit", e164, changes)
            return e164
