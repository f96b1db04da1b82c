"""Importing stock: all of a file, or nothing of it, with every problem told by its line and column."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from router.domain.errors import FieldError
from router.domain.model import PoolId, TargetId
from router.domain.numbering import newest_form
from router.services import checks
from router.services.administration.desk import Desk
from router.services.codes import apply_due
from router.services.stock import form, overlaps
from router.services.stock.fitting import misfits, page_number
from router.services.stock.lines import LineProblems, StockLine
from router.services.work import By, Work, site_called
from router.store import administration, codes, stock
from router.store.administration import PoolRow
from router.store.stock import NewNumber

T = TypeVar("T")
AT_ONCE = 5000
Progress = Callable[[int, int], None]  # how many numbers are done, of how many


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did, or would do. `by_place`: how many numbers stand where (pool, or a standing)."""

    lines: int
    blocks: int
    numbers: int
    returned: int
    contaminated: int
    ported: int
    by_place: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Named:
    """What the names of a line stand for."""

    trunk_id: int | None
    pool_id: PoolId | None
    target_id: TargetId | None


class StockImport(Desk):
    """Takes in files of numbers."""

    async def import_stock(
        self,
        text: str,
        *,
        pool: str | None = None,
        region: str | None = None,
        force: bool = False,
        dry_run: bool = False,
        progress: Progress = lambda _done, _all: None,
        by: By,
    ) -> Imported:
        """`text` is the file (services/stock/form). `pool` is for numbers in use that name none; a pool of
        another region than a number's, or with numbers of other carriers, is refused unless forced. With
        `dry_run` nothing is written. Raises FieldError, FieldErrors."""
        problems = LineProblems()
        country = checks.region(region) if region else None
        changes = [row.change for row in await codes.changes(self._database, by.now)]
        # beside the event loop, which may have calls to answer, and before a transaction is open
        lines = await asyncio.to_thread(
            form.read,
            text,
            problems,
            region=country,
            pool=pool,
            newest=lambda e164: newest_form(e164, changes, by.now),
        )
        async with self._work(by) as work:
            await apply_due(work.queries, by.now)
            named = await _resolve(work, lines, problems, force=force)
            here = await stock.blocks(work.queries)
            overlaps.with_stock(lines, here, problems)
            returned = await _there_already(work, lines, problems)
            problems.refuse()
            if not lines:
                raise FieldError("file", "it has no line", ",".join(form.COLUMNS))
            done = _summary(lines, returned)
            if not dry_run:
                own = {row.block.prefix: row.id for row in here}
                await _put(work, lines, named, own, done.numbers, progress)
                await work.note(
                    "number.import",
                    f"{done.numbers} numbers",
                    {"lines": done.lines, "blocks": done.blocks, "by_place": dict(done.by_place)},
                )
            return done


async def _resolve(
    work: Work, lines: Sequence[StockLine], problems: LineProblems, *, force: bool
) -> list[_Named]:
    """Names → ids, line by line; a name that stands for nothing is a problem of its line."""
    queries, organisation_id = work.queries, work.organisation_id
    trunks = await administration.trunks(queries, organisation_id)
    targets = await administration.targets(queries, organisation_id)
    sites = await administration.sites(queries, organisation_id)
    pools = await administration.pools(queries, organisation_id)
    carriers = await stock.carriers(queries, [row.pool.id for row in pools])

    def pool_of(name: str, site: str | None) -> PoolRow:
        found = [row for row in pools if row.pool.name == name]
        if site is not None:
            site_id = site_called(sites, site).id
            found = [row for row in found if row.pool.site_id == site_id]
        if len(found) > 1:
            raise FieldError("site", f"several sites have a pool {name!r}: say which", "shop")
        return checks.named("pool", name, found or pools, lambda row: row.pool.name)

    named = []
    for one in lines:
        trunk = target = row = None
        if one.trunk:
            trunk = problems.check(
                one.line, "trunk", checks.named, "trunk", one.trunk, trunks, lambda t: t.name
            )
        if one.target:
            target = problems.check(
                one.line, "target", checks.named, "target", one.target, targets, lambda t: t.name
            )
        if one.pool:
            row = problems.check(one.line, "pool", pool_of, one.pool, one.site)
        elif one.site:
            problems.add(one.line, "site", "says nothing without a pool", "")
        if row and one.number and (shown := page_number(one.number, row.pool, sites)):
            problems.add(one.line, "number", shown)
        if row is not None and not force:
            for column, problem in misfits(one.region, one.carrier, row, carriers):
                problems.add(one.line, column, problem)
        named.append(
            _Named(
                trunk_id=trunk.id if trunk else None,
                pool_id=row.pool.id if row else None,
                target_id=target.id if target else None,
            )
        )
    return named


async def _there_already(
    work: Work, lines: Sequence[StockLine], problems: LineProblems
) -> set[str]:
    """Refuse what is ours or another's already, or a company line; the withdrawn numbers that return."""
    returned: set[str] = set()
    refused: dict[int, list[str]] = {}
    for batch in _batches(_each(lines), AT_ONCE):
        e164s = [e164 for e164, _ in batch]
        found = await stock.there(work.queries, e164s)
        company = await administration.targets_among(work.queries, e164s)
        for e164, one in batch:
            row = found.get(e164)
            if e164 in company:
                problems.add(one.line, "number", f"{e164} is a company line that calls are sent to")
            if row is None:
                continue
            if row.withdrawn and row.organisation_id == work.organisation_id:
                returned.add(e164)
            else:
                refused.setdefault(one.line, []).append(e164)
    for line, e164s in refused.items():
        several = f"{len(e164s)} of its numbers are registered already, the first is {e164s[0]}"
        single = f"{e164s[0]} is registered already"
        problems.add(line, "number", single if len(e164s) == 1 else several)
    return returned


async def _put(
    work: Work,
    lines: Sequence[StockLine],
    named: Sequence[_Named],
    block_ids: dict[str, int],
    total: int,
    progress: Progress,
) -> None:
    for one in lines:
        if one.block is not None:
            block_ids[one.block.prefix] = await stock.put_block(
                work.queries,
                work.organisation_id,
                one.block,
                block_id=one.block_id,
                carrier=one.carrier,
                region=one.region,
                rate_centre=one.rate_centre,
                contaminated=one.contaminated,
                ported=one.ported,
                created_at=work.by.now,
            )
    by_line = {one.line: names for one, names in zip(lines, named, strict=True)}
    done = 0
    progress(0, total)
    for batch in _batches(_each(lines), AT_ONCE):
        rows = [_new(e164, one, by_line[one.line], block_ids) for e164, one in batch]
        taken = await stock.put_numbers(work.queries, work.organisation_id, rows, work.by.now)
        if taken != len(rows):
            raise FieldError("file", "some of its numbers were registered meanwhile: try again")
        done += taken
        progress(done, total)


def _new(e164: str, one: StockLine, names: _Named, block_ids: Mapping[str, int]) -> NewNumber:
    prefix = one.block.prefix if one.block else ""
    held = [block_ids[e164[:-p]] for p in range(1, 5) if one.block_id and e164[:-p] in block_ids]
    return NewNumber(
        e164=e164,
        block_id=block_ids[prefix] if prefix else held[0] if held else None,
        carrier=one.carrier,
        region=one.region,
        rate_centre=one.rate_centre,
        monthly_cost=one.monthly_cost,
        currency=one.currency,
        trunk_id=names.trunk_id,
        pool_id=names.pool_id,
        target_id=names.target_id,
        record=one.record,
        standing="in_use" if one.standing == form.WITHDRAWN else one.standing,
        withdrawn=one.standing == form.WITHDRAWN,
    )


def _each(lines: Sequence[StockLine]) -> Iterator[tuple[str, StockLine]]:
    """Every number that becomes a row, with its line: a number's own line comes before its block's."""
    own = {one.number for one in lines if one.number}
    for one in lines:
        if one.number is not None:
            yield one.number, one
        elif one.block is not None:
            kept = one.kept_by_others
            yield from ((e, one) for e in one.block.numbers() if e not in kept and e not in own)


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch


def _summary(lines: Sequence[StockLine], returned: set[str]) -> Imported:
    by_place: dict[str, int] = {}
    for _, one in _each(lines):
        place = one.standing if one.standing != "in_use" else f"pool {one.pool}"
        by_place[place] = by_place.get(place, 0) + 1
    return Imported(
        lines=len(lines),
        blocks=sum(one.block is not None for one in lines),
        numbers=sum(by_place.values()),
        returned=len(returned),
        contaminated=sum(len(one.contaminated) for one in lines),
        ported=sum(len(one.ported) for one in lines),
        by_place=by_place,
    )
