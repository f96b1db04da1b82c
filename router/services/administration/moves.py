"""Numbers that are assigned, moved between pools, and withdrawn gently.

Who has a number on his page keeps it: a number that is held waits aside, answered and routed as before, and
goes when its reservation has ended (services/departures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from router.domain import phone
from router.services import checks
from router.services.administration.desk import Desk
from router.services.checks import Ref
from router.services.codes import newest
from router.services.stock.fitting import misfits, page_number
from router.services.work import By, Work
from router.store import administration, standings, stock
from router.store import moves as store
from router.store.moves import Movable
from router.store.standings import Change

MEMORY_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Moved:
    """E.164 of the numbers that are in their new pool, and of those that go there when nobody holds them."""

    at_once: tuple[str, ...]
    waiting: tuple[str, ...]


class Moves(Desk):
    """Where numbers belong."""

    async def move_numbers(
        self,
        numbers: Sequence[str],
        *,
        to: Ref,
        site: Ref | None = None,
        force: bool = False,
        region: str | None = None,
        by: By,
    ) -> Moved:
        """All of them, or none. A pool takes numbers of its own region and carrier, as far as they are known,
        unless forced; a number that rests for its old site only if forced. A number that was put aside stays
        aside in its new pool; one of the shared pool is in use from then on."""
        country = checks.region(region) if region else None
        async with self._work(by) as work:
            row = await work.pool(to, site)
            e164s = checks.numbers(numbers, country or row.region, field="number")
            e164s = await newest(work.queries, e164s, by.now)
            found = await _rows(work, e164s)
            problems = checks.Problems()
            carriers = await stock.carriers(work.queries, [row.pool.id])
            sites = await administration.sites(work.queries, work.organisation_id)
            for one in found:
                if problem := page_number(one.e164, row.pool, sites):
                    problems.add("number", problem)
                if one.pool_id == row.pool.id and one.moves_to is None:
                    problems.add("number", f"{one.e164} is in pool {row.pool.name} already")
                if one.held and one.standing in ("quarantined", "listening"):
                    problems.add(
                        "number", f"{one.e164} is put aside and still on a page: release it first"
                    )
                if force:
                    continue
                if one.standing == "resting":
                    problems.add(
                        "number", f"{one.e164} is still answered for its old site (unless forced)"
                    )
                for field, problem in misfits(one.region, one.carrier, row, carriers):
                    problems.add(field, f"{one.e164}: {problem}")
            problems.refuse()
            held = [one for one in found if one.held]
            free = [one for one in found if not one.held]
            await _aside(work, held, f"goes to pool {row.pool.name} when nobody holds it")
            await store.await_end(work.queries, [one.id for one in held], moves_to=row.pool.id)
            await store.put(work.queries, [one.id for one in free], row.pool.id, by.now)
            for one in free:
                if one.standing in ("shared", "resting"):
                    await standings.tell(
                        work.queries,
                        work.organisation_id,
                        [one.e164],
                        was=one.standing,
                        why=f"from {one.standing} into pool {row.pool.name}",
                        actor=by.actor,
                        at=by.now,
                    )
            await work.note(
                "number.move",
                row.pool.name,
                {
                    "numbers": list(e164s),
                    "from": {one.e164: one.pool for one in found},
                    "waiting": [one.e164 for one in held],
                    "forced": force or None,
                },
            )
            return Moved(
                at_once=tuple(one.e164 for one in free), waiting=tuple(one.e164 for one in held)
            )

    async def retire_numbers(
        self,
        numbers: Sequence[str],
        *,
        days: int = MEMORY_DAYS,
        region: str | None = None,
        by: By,
    ) -> tuple[str, ...]:
        """Withdraw gently: shown to nobody new, answered and matched for `days` more, then out of use."""
        country = checks.region(region) if region else None
        e164s = checks.numbers(numbers, country, field="number")
        checks.between("days", days, 0, 365)
        async with self._work(by) as work:
            e164s = await newest(work.queries, e164s, by.now)
            found = await _rows(work, e164s)
            leaves_at = by.now + timedelta(days=days)
            await _aside(work, found, f"withdrawn gently, answered until {leaves_at:%Y-%m-%d}")
            await store.await_end(work.queries, [one.id for one in found], leaves_at=leaves_at)
            await work.note(
                "number.retire", ", ".join(e164s), {"numbers": list(e164s), "days": days}
            )
            return e164s


async def _rows(work: Work, e164s: Sequence[str]) -> list[Movable]:
    found = await store.find(work.queries, work.organisation_id, e164s, work.by.now)
    problems = checks.Problems()
    for e164 in e164s:
        if e164 not in found or found[e164].withdrawn_at is not None:
            problems.add("number", f"{e164} is not one of our numbers in use", phone.EXAMPLE)
    problems.refuse()
    return [found[e164] for e164 in e164s]


async def _aside(work: Work, rows: Sequence[Movable], why: str) -> None:
    """Out of rotation, with the reason in the log."""
    changes = [
        Change(number_id=one.id, was=one.standing, standing="quarantined", why=why) for one in rows
    ]
    await standings.change(work.queries, changes, actor=work.by.actor, at=work.by.now)
