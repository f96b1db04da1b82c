"""A line of a stock file as a value, and what is wrong with lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from router.domain.errors import FieldError
from router.domain.numbering import Block
from router.services import checks

T = TypeVar("T")
_EXAMPLES = {"number": "1-315-658-2", "standing": "listening"}


@dataclass(frozen=True, kw_only=True, slots=True)
class StockLine:
    """One line. `number` or `block` is set; names are as they stand in the file."""

    line: int
    number: str | None = None
    block: Block | None = None
    block_id: str = ""
    carrier: str | None = None
    region: str | None = None
    rate_centre: str | None = None
    contaminated: tuple[str, ...] = ()
    ported: tuple[str, ...] = ()
    monthly_cost: Decimal | None = None
    currency: str | None = None
    trunk: str | None = None
    site: str | None = None
    pool: str | None = None
    target: str | None = None
    record: bool | None = None
    standing: str = "shared"

    @property
    def kept_by_others(self) -> frozenset[str]:
        """Numbers of the block that are not ours."""
        return frozenset((*self.contaminated, *self.ported))

    @property
    def size(self) -> int:
        return self.block.size if self.block else 1


@dataclass(kw_only=True)
class LineProblems:
    """What is wrong with a file, line by line."""

    found: list[tuple[int, FieldError]] = field(default_factory=list)

    def add(self, line: int, column: str, problem: str, example: str = "") -> None:
        refused = FieldError(
            f"line {line}, {column}", problem, example or _EXAMPLES.get(column, "")
        )
        self.found.append((line, refused))

    def check(
        self, line: int, column: str, function: Callable[..., T], *values: object
    ) -> T | None:
        """What `function` returns, or None after its refusal has been noted."""
        try:
            return function(*values)
        except FieldError as refused:
            self.add(line, column, refused.problem, refused.example)
            return None

    def refuse(self) -> None:
        """Raises all of it, in the order of the lines."""
        problems = checks.Problems()
        for _, refused in sorted(self.found, key=lambda one: one[0]):
            problems.add(refused.field, refused.problem, refused.example)
        problems.refuse()
