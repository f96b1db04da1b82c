"""A CSV file as lines with named cells; what is wrong is told by line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from router.services.stock.lines import LineProblems


def rows(
    text: str, columns: Sequence[str], needed: Sequence[str], problems: LineProblems
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(line number, cells by column); a semicolon may divide them, as spreadsheets write it. The first line
    names the columns, in any order; those that are needed must be there."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",", strict=True)
    try:
        heading = [name.strip().lower() for name in next(reader, [])]
        unknown = [name for name in heading if name not in columns]
        for name in unknown:
            problems.add(1, name or "heading", "there is no such column", ",".join(columns))
        for name in sorted({name for name in heading if heading.count(name) > 1}):
            problems.add(1, name, "stands twice")
        for name in needed:
            if name not in heading:
                problems.add(1, name, "this column is missing")
        if problems.found:
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(heading):
                said = f"has {len(cells)} cells, the heading {len(heading)}"
                problems.add(reader.line_num, "line", said)
                continue
            values = [cell.strip() for cell in cells]
            yield reader.line_num, dict(zip(heading, values, strict=False))
    except csv.Error as error:
        problems.add(reader.line_num, "line", f"is not CSV: {error}")
