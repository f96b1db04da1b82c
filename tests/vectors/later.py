"""Kinds of vectors whose rules are not built yet: known by their form, named, and left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.vectors.kinds import LeftOut, Outcome


@dataclass(frozen=True, kw_only=True)
class Later:
    """`keys`: what such a file contains; `listed`: which of it are lists of cases."""

    name: str
    what: str
    keys: frozenset[str]
    listed: tuple[str, ...]

    def is_it(self, data: Mapping[str, Any]) -> bool:
        return self.keys <= data.keys()

    def run(self, data: Mapping[str, Any]) -> Iterator[Outcome]:
        cases = sum(len(data[key]) for key in self.listed if key in data)
        yield LeftOut(what=self.what, cases=cases)


KINDS = (
    Later(
        name="em",
        what="learning",
        keys=frozenset({"h0", "exposure", "steps"}),
        listed=("steps",),
    ),
    Later(
        name="colour",
        what="the colour of a pool",
        keys=frozenset({"cases", "accuracy_bound", "fewer"}),
        listed=("cases",),
    ),
    Later(
        name="erlang_b",
        what="Erlang's loss formula",
        keys=frozenset({"table", "hayward", "min_n"}),
        listed=("table", "continuous", "hayward", "min_n", "max_load"),
    ),
)
