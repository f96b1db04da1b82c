"""Exporting stock in the form in which it is imported: blocks as blocks, and what differs in them by number."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence

from router.services.checks import Ref
from router.services.stock import form
from router.services.stock.lines import StockLine
from router.services.work import organisation_called
from router.store import stock
from router.store.database import Database
from router.store.stock import BlockRow, ExportedNumber


class StockExport:
    """Writes files of numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export_stock(self, organisation: Ref | None = None) -> str:
        """Everything an organisation has, as CSV; withdrawn numbers too."""
        owner = await organisation_called(self._database, organisation)
        blocks = await stock.blocks(self._database)
        numbers = await stock.exported(self._database, owner.id)
        own = [row for row in blocks if row.organisation_id == owner.id]
        # beside the event loop, which has calls to answer
        return await asyncio.to_thread(lambda: form.written(lines(numbers, own)))


def lines(numbers: Sequence[ExportedNumber], blocks: Sequence[BlockRow]) -> list[StockLine]:
    """A block says what most of its numbers are; the others have lines of their own, which name it."""
    members: defaultdict[int, list[ExportedNumber]] = defaultdict(list)
    for one in numbers:
        if one.block_id is not None:
            members[one.block_id].append(one)
    found: list[StockLine] = []
    listed: set[str] = set()
    for row in blocks:
        own = members[row.id]
        if not own or not _whole(row, own):
            continue
        usual = Counter(_said(one) for one in own).most_common(1)[0][0]
        found.append(_block_line(row, next(one for one in own if _said(one) == usual)))
        # without a name of the block, a line could not say that it is of it
        if row.block_id:
            found += [_number_line(one, row.block_id) for one in own if _said(one) != usual]
        elif any(_said(one) != usual for one in own):
            found.pop()
            continue
        listed.update(one.e164 for one in own)
    return found + [_number_line(one, "") for one in numbers if one.e164 not in listed]


def _whole(row: BlockRow, own: Sequence[ExportedNumber]) -> bool:
    """Nothing of it has moved away: what is not ours is what others keep."""
    kept = len({*row.contaminated, *row.ported})
    return len(own) + kept == row.block.size and all(row.block.holds(one.e164) for one in own)


def _said(one: ExportedNumber) -> tuple[object, ...]:
    return (
        *(one.carrier, one.region, one.rate_centre, one.monthly_cost, one.currency, one.trunk),
        *(one.site, one.pool, one.target, one.record, one.standing),
    )


def _number_line(one: ExportedNumber, block_id: str) -> StockLine:
    return StockLine(
        line=0,
        number=one.e164,
        block_id=block_id,
        carrier=one.carrier,
        region=one.region,
        rate_centre=one.rate_centre,
        monthly_cost=one.monthly_cost,
        currency=one.currency,
        trunk=one.trunk,
        site=one.site,
        pool=one.pool,
        target=one.target,
        record=one.record,
        standing=one.standing,
    )


def _block_line(row: BlockRow, usual: ExportedNumber) -> StockLine:
    return StockLine(
        line=0,
        block=row.block,
        block_id=row.block_id,
        carrier=usual.carrier,
        region=usual.region,
        rate_centre=usual.rate_centre,
        contaminated=row.contaminated,
        ported=row.ported,
        monthly_cost=usual.monthly_cost,
        currency=usual.currency,
        trunk=usual.trunk,
        site=usual.site,
        pool=usual.pool,
        target=usual.target,
        record=usual.record,
        standing=usual.standing,
    )
