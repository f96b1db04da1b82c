"""Number administrations' ideas: blocks of numbers, and codes that are split or renumbered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.errors import FieldError

CONTAMINATED_AT_MOST = 0.10
_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """All numbers that begin with `prefix` (with +), `places` digits long after it."""

    prefix: str
    places: int

    @property
    def size(self) -> int:
        return int(10**self.places)

    def numbers(self) -> Iterator[str]:
        return (f"{self.prefix}{i:0{self.places}}" for i in range(self.size))

    def holds(self, e164: str) -> bool:
        return e164.startswith(self.prefix) and len(e164) == len(self.prefix) + self.places

    def __str__(self) -> str:
        return self.prefix + "x" * self.places


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeChange:
    """Numbers that begin with `old` begin with `new`; in [from_at, until_at) both forms are the same number."""

    old: str
    new: str
    from_at: datetime
    until_at: datetime

    def in_force(self, t: datetime) -> bool:
        return self.from_at <= t < self.until_at


def some_of(block: Block, text: str, *, field: str) -> tuple[str, ...]:
    """Numbers of a block by their last digits: ``017 030-033`` in a thousands-block. Raises FieldError."""
    example = f"{'17'.zfill(block.places)} {'30'.zfill(block.places)}-{'33'.zfill(block.places)}"
    found: dict[str, None] = {}
    for part in re.split(r"[\s,;]+", text.strip()):
        if not part:
            continue
        given = _RANGE.fullmatch(part)
        if given is None or any(len(end) != block.places for end in given.groups() if end):
            raise FieldError(
                field, f"{part!r} is not the last {block.places} digits of numbers", example
            )
        first, last = int(given[1]), int(given[2] or given[1])
        if last < first:
            raise FieldError(field, f"{part!r} goes backwards", example)
        found.update((f"{block.prefix}{i:0{block.places}}", None) for i in range(first, last + 1))
    return tuple(found)


def last_digits(block: Block, e164s: Sequence[str]) -> str:
    """The reverse of `some_of`, runs drawn together."""
    ends = sorted({int(e164[len(block.prefix) :]) for e164 in e164s})
    runs: list[list[int]] = []
    for end in ends:
        if runs and runs[-1][1] == end - 1:
            runs[-1][1] = end
        else:
            runs.append([end, end])
    return " ".join(
        f"{a:0{block.places}}" if a == b else f"{a:0{block.places}}-{b:0{block.places}}"
        for a, b in runs
    )


def newest_form(e164: str, changes: Sequence[CodeChange], t: datetime) -> str:
    """How a number, or what a block begins with, is written at `t`, when it is given in a form that was valid
    at some time: the new one from a change on; an old one that is not valid any more stays as it is."""
    for change in changes:
        if change.in_force(t) and e164.startswith(change.old):
            return change.new + e164.removeprefix(change.old)
    return e164


def forms(e164: str, changes: Sequence[CodeChange], t: datetime) -> tuple[str, ...]:
    """A number in every form that is valid at `t`, as it is given first."""
    found = [e164]
    for change in changes:
        if not change.in_force(t):
            continue
        if e164.startswith(change.old):
            found.append(change.new + e164.removeprefix(change.old))
        elif e164.startswith(change.new):
            found.append(change.old + e164.removeprefix(change.new))
    return tuple(dict.fromkeys(found))


def same_region(one: str | None, other: str | None) -> bool | None:
    """Whether two ISO 3166-2 codes are of one region. A whole country says nothing about its parts: None, as
    where one is unknown."""
    if not one or not other:
        return None
    if one == other:
        return True
    if one.partition("-")[0] == other.partition("-")[0] and ("-" in one) != ("-" in other):
        return None
    return False
