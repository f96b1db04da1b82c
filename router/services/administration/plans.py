"""Numbering plans of countries: which digits belong to which region and operator.

phonenumbers tells the region of few numbers, and of no Russian mobile. The file is CSV; its columns are `prefix`, or
`from` and `to` (national numbers, digits alone), `region` (ISO 3166-2) and `operator`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import pairwise

from router.domain import phone
from router.domain.errors import FieldError
from router.services import checks
from router.services.administration.desk import Desk
from router.services.regions import DIGITS
from router.services.stock import table
from router.services.stock.lines import LineProblems
from router.services.work import By
from router.store import plans as store
from router.store.plans import PlanRange, PlanRow

COLUMNS = ("prefix", "from", "to", "region", "operator")
AT_ONCE = 10_000


class Plans(Desk):
    """For all organisations: a plan belongs to the network."""

    async def import_plan(self, text: str, *, country: str, dry_run: bool = False, by: By) -> int:
        """A country's plan in place of the one before: all of the file, or nothing, with every problem told by
        its line and column. Returns how many ranges it has. Raises FieldError, FieldErrors."""
        code = checks.region(country)
        problems = LineProblems()
        # a hundred thousand lines take a second: nobody else waits for it
        found = await asyncio.to_thread(_ranges, text, code, problems)
        problems.refuse()
        if not found:
            raise FieldError("file", "it has no line", ",".join(COLUMNS))
        if dry_run:
            return len(found)
        async with self._work(by) as work:
            await store.replace(work.queries, code, by.now)
            for start in range(0, len(found), AT_ONCE):
                await store.put(work.queries, code, found[start : start + AT_ONCE])
            await work.note("plan.import", code, {"ranges": len(found)})
        return len(found)

    async def plans(self) -> list[PlanRow]:
        """What is loaded, by country."""
        return await store.versions(self._database)


def _ranges(text: str, country: str, problems: LineProblems) -> Sequence[PlanRange]:
    read: list[tuple[PlanRange, int]] = []
    columns: dict[int, str] = {}
    for line, cells in table.rows(text, COLUMNS, ("region",), problems):
        one = _range(line, cells, country, problems)
        if one is not None:
            read.append((one, line))
            columns[line] = "prefix" if cells.get("prefix") else "from"
    read.sort(key=lambda one: (one[0].first, one[0].last, one[1]))
    for (before, line_before), (one, line) in pairwise(read):
        if one.first <= before.last:
            first, later = sorted((line_before, line))
            problems.add(later, columns[later], f"overlaps with line {first}")
    return [one for one, _ in read]


def _range(
    line: int, cells: Mapping[str, str], country: str, problems: LineProblems
) -> PlanRange | None:
    before = len(problems.found)
    prefix, start, end = (cells.get(column, "") for column in ("prefix", "from", "to"))
    if bool(prefix) == bool(start or end) or bool(start) != bool(end):
        problems.add(line, "prefix", "give a prefix, or from and to", "916")
        return None
    column = "prefix" if prefix else "from"
    start, end = start or prefix, end or prefix
    code = str(phone.calling_code(country))
    for digits in (start, end):
        if not (digits.isascii() and digits.isdigit() and len(code + digits) <= DIGITS):
            problems.add(
                line, column, f"{digits!r} is not a national number's digits", "9160000000"
            )
            return None
    if len(start) != len(end) or end < start:
        problems.add(line, "to", f"{end} does not come after {start}", "9169999999")
    region = cells.get("region", "").upper()
    known = problems.check(line, "region", checks.area, region) if region else None
    if known and not known.startswith(country):
        problems.add(line, "region", f"{region} is not in {country}", f"{country}-MOW")
    operator = cells.get("operator", "")
    if operator:
        problems.check(line, "operator", checks.name, operator)
    if len(problems.found) > before:
        return None
    return PlanRange(
        first=int((code + start).ljust(DIGITS, "0")),
        last=int((code + end).ljust(DIGITS, "9")),
        region=region or None,
        operator=operator or None,
    )
