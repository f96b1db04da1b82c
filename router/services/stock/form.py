"""The CSV form in which stock is imported and exported: a line for a number or for a block of numbers.

Every problem names its line and its column. Nothing here knows what is in the database.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import get_args

from router.domain import numbering, phone
from router.domain.errors import FieldError
from router.domain.model import Standing
from router.domain.numbering import Block
from router.services import checks
from router.services.stock import overlaps, table
from router.services.stock.lines import LineProblems, StockLine

COLUMNS = (
    *("number", "block_id", "carrier", "region", "rate_centre", "contaminated", "ported"),
    *("monthly_cost", "currency", "trunk", "site", "pool", "target", "record", "standing"),
)
WITHDRAWN = "withdrawn"
STANDINGS = (*get_args(Standing), WITHDRAWN)
_YES_NO = {"": None, "yes": True, "no": False}
MOST_NUMBERS = 1_000_000


def read(
    text: str,
    problems: LineProblems,
    *,
    region: str | None = None,
    pool: str | None = None,
    newest: Callable[[str], str] = str,
) -> list[StockLine]:
    """The lines of a file that can be understood; what is wrong is put into `problems`.

    `region` is the country of numbers without +; `pool` is for lines that name none; `newest` writes a number
    as we write it now, where its code has changed.
    """
    rows = table.rows(text, COLUMNS, ("number",), problems)
    lines = [
        one
        for number, cells in rows
        if (one := _line(number, cells, problems, region, pool, newest))
    ]
    if sum(one.size for one in lines) > MOST_NUMBERS:
        problems.add(1, "number", f"more than {MOST_NUMBERS:,} numbers: import them in parts")
        return []
    overlaps.within(lines, problems)
    return lines


def _line(
    line: int,
    cells: Mapping[str, str],
    problems: LineProblems,
    region: str | None,
    pool: str | None,
    newest: Callable[[str], str],
) -> StockLine | None:
    def cell(column: str) -> str:
        return cells.get(column, "")

    before = len(problems.found)
    text = cell("number")
    number, block = None, None
    if not text:
        problems.add(line, "number", "is empty")
    elif "x" in text.lower() or (number := phone.anyhow(text, region)) is None:
        found = problems.check(line, "number", phone.block, text, region)
        block = Block(prefix=newest(found[0]), places=found[1]) if found else None
    number = newest(number) if number else None
    named = {
        column: problems.check(line, column, checks.name, value)
        if (value := cell(column))
        else None
        for column in ("block_id", "carrier", "rate_centre", "trunk", "site", "pool", "target")
    }
    where = cell("region").upper()
    if where:
        problems.check(line, "region", checks.area, where)
    elif number or block:
        where = phone.country(number or next(iter(block.numbers()) if block else iter(("",)))) or ""
    others = {}
    for column in ("contaminated", "ported"):
        if cell(column) and block is None and number is not None:
            problems.add(line, column, "only a block has such numbers")
        elif cell(column) and block is not None:
            others[column] = problems.check(line, column, _some_of, block, cell(column), column)
    contaminated = others.get("contaminated") or ()
    if block and len(contaminated) > numbering.CONTAMINATED_AT_MOST * block.size:
        problems.add(
            line,
            "contaminated",
            f"{len(contaminated)} of {block.size} numbers: a block may carry 10 % at most",
        )
    cost = problems.check(line, "monthly_cost", _money, cell("monthly_cost"))
    currency = cell("currency").upper()
    if bool(currency) != (cost is not None) and not (cell("monthly_cost") and cost is None):
        problems.add(line, "currency", "a cost and its currency go together", "EUR")
    elif currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        problems.add(line, "currency", f"{currency!r} is not a currency's three letters", "EUR")
    record = cell("record").lower()
    if record not in _YES_NO:
        problems.add(line, "record", f"{record!r} is neither yes nor no", "yes")
    chosen = named["pool"] or (pool if cell("standing").lower() in ("", "in_use") else None)
    standing = _standing(line, cell("standing").lower(), chosen, problems)
    if len(problems.found) > before:
        return None
    return StockLine(
        line=line,
        number=number,
        block=block,
        block_id=named["block_id"] or "",
        carrier=named["carrier"],
        region=where or None,
        rate_centre=named["rate_centre"],
        contaminated=contaminated,
        ported=others.get("ported") or (),
        monthly_cost=cost,
        currency=currency or None,
        trunk=named["trunk"],
        site=named["site"],
        pool=chosen,
        target=named["target"],
        record=_YES_NO[record],
        standing=standing,
    )


def _some_of(block: Block, text: str, column: str) -> tuple[str, ...]:
    return numbering.some_of(block, text, field=column)


def _money(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        cost = Decimal(text)
    except InvalidOperation:
        cost = Decimal("NaN")
    if not (cost.is_finite() and 0 <= cost < 10_000_000) or cost != round(cost, 4):
        raise FieldError("monthly_cost", f"{text!r} is not an amount of money", "1.50")
    return cost


def _standing(line: int, text: str, pool: str | None, problems: LineProblems) -> str:
    standing = text or ("in_use" if pool else "shared")
    if standing not in STANDINGS:
        problems.add(line, "standing", f"{text!r} is not one of {', '.join(STANDINGS)}")
    elif standing == "in_use" and not pool:
        problems.add(line, "pool", "a number in use needs one", "ads")
    elif standing == "shared" and pool:
        problems.add(line, "pool", "a number of the shared pool has none")
    return standing


def written(lines: Sequence[StockLine]) -> str:
    """Lines as CSV, in the form that is read."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in lines:
        block = one.block
        shown = str(block) if block else one.number
        writer.writerow(
            [
                shown,
                one.block_id,
                one.carrier or "",
                one.region or "",
                one.rate_centre or "",
                numbering.last_digits(block, one.contaminated) if block else "",
                numbering.last_digits(block, one.ported) if block else "",
                "" if one.monthly_cost is None else f"{one.monthly_cost.normalize():f}",
                one.currency or "",
                one.trunk or "",
                one.site or "",
                one.pool or "",
                one.target or "",
                {None: "", True: "yes", False: "no"}[one.record],
                one.standing,
            ]
        )
    return out.getvalue()
