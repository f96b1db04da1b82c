"""The table that `make bench` prints: what was measured, against what, and the goal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

_HEAD = ("subject", "ours", "baseline", "ratio", "goal", "reached")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison, as text; `reached` is None where there is no goal."""

    subject: str
    ours: str
    baseline: str = ""
    ratio: str = ""
    goal: str = ""
    reached: bool | None = None

    def cells(self) -> tuple[str, ...]:
        reached = "" if self.reached is None else ("yes" if self.reached else "NO")
        return (self.subject, self.ours, self.baseline, self.ratio, self.goal, reached)


@dataclass
class Report:
    """Collects rows, notes, and what could not be measured."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        say("  " + " | ".join(cell for cell in row.cells() if cell))

    def note(self, text: str) -> None:
        self.notes.append(text)
        say(f"  note: {text}")

    def fail(self, subject: str, why: str) -> None:
        self.failures.append(f"{subject}: {why}")
        say(f"  NOT MEASURED: {why}")

    def text(self) -> str:
        """The whole table, with notes and failures below."""
        lines = list(_table([_HEAD, *(row.cells() for row in self.rows)]))
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        if self.failures:
            lines += ["", "NOT MEASURED:", *(f"- {failure}" for failure in self.failures)]
        return "\n".join(lines)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def say(text: str) -> None:
    """Progress, at once: a bench that is silent for minutes looks stuck."""
    print(text, flush=True, file=sys.stdout)


def at_least(value: float, goal: float) -> tuple[str, bool]:
    """A goal from below, as text and verdict."""
    return f">= {goal:g}", value >= goal


def at_most(value: float, goal: float) -> tuple[str, bool]:
    """A goal from above, as text and verdict."""
    return f"<= {goal:g}", value <= goal
