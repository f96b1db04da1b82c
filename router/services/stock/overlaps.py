"""No number twice: within a file, and with the blocks that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router.services.stock.lines import LineProblems, StockLine
from router.store.stock import BlockRow


def within(lines: Sequence[StockLine], problems: LineProblems) -> None:
    """No number on two lines, but a number of a block on a line of its own that names the block."""
    numbers: dict[str, int] = {}
    blocks: dict[str, StockLine] = {}
    above: dict[str, StockLine] = {}  # what any block's prefix begins with
    for one in lines:
        if one.block is None:
            continue
        prefix = one.block.prefix
        shorter = (prefix[:end] for end in range(2, len(prefix) + 1))
        clash = next((blocks[p] for p in shorter if p in blocks), None) or above.get(prefix)
        if clash is not None:
            problems.add(one.line, "number", f"overlaps with line {clash.line}")
            continue
        blocks[prefix] = one
        for end in range(2, len(prefix)):
            above.setdefault(prefix[:end], one)
    for one in lines:
        if one.number is None:
            continue
        if one.number in numbers:
            problems.add(one.line, "number", f"stands on line {numbers[one.number]} already")
            continue
        numbers[one.number] = one.line
        holding = holder(one.number, blocks)
        if holding is None:
            continue
        if not one.block_id or one.block_id != holding.block_id:
            problems.add(
                one.line,
                "number",
                f"is in the block of line {holding.line}: name it in block_id, or leave the line out",
                holding.block_id,
            )
        elif one.number in holding.kept_by_others:
            problems.add(
                one.line, "number", f"line {holding.line} says that others keep this number"
            )


def holder(number: str, blocks: Mapping[str, StockLine]) -> StockLine | None:
    """The block, of some by their prefix, that a number is in."""
    for places in range(1, 5):
        found = blocks.get(number[:-places])
        if found is not None and found.block is not None and found.block.holds(number):
            return found
    return None


def with_stock(
    lines: Sequence[StockLine], here: Sequence[BlockRow], problems: LineProblems
) -> None:
    """Nor in a block that is there, whoever's: but a number may name the block it is in."""
    blocks = {row.block.prefix: row for row in here}
    above = {prefix[:end]: row for prefix, row in blocks.items() for end in range(2, len(prefix))}
    for one in lines:
        if one.block is not None:
            prefix = one.block.prefix
            shorter = (prefix[:end] for end in range(2, len(prefix) + 1))
            clash = next((blocks[p] for p in shorter if p in blocks), None) or above.get(prefix)
            if clash is not None:
                said = (
                    f"overlaps with block {clash.block_id or clash.block}, which is there already"
                )
                problems.add(one.line, "number", said)
            continue
        number = one.number or ""
        for places in range(1, 5):
            row = blocks.get(number[:-places])
            if row is None or not row.block.holds(number):
                continue
            if not one.block_id or one.block_id != row.block_id:
                said = f"is in block {row.block_id or row.block}: name it in block_id"
                problems.add(one.line, "number", said, row.block_id)
            elif number in row.contaminated or number in row.ported:
                problems.add(one.line, "number", f"block {row.block_id}: others keep this number")
