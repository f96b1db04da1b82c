"""What a kind of vectors yields when it is run: differences, and what of it is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where a result is not the expected one. `case` and `field` are as the file calls them."""

    case: str
    field: str
    expected: object
    got: object


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Vectors of rules that are not built yet."""

    what: str
    cases: int


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A case all of whose fields are as expected."""

    case: str


Outcome = Difference | LeftOut | Passed


class Kind(Protocol):
    """One form of vectors file."""

    name: str

    def is_it(self, data: Mapping[str, Any]) -> bool:
        """True for the contents of a file of this form."""

    def run(self, data: Mapping[str, Any]) -> Iterator[Outcome]:
        """All of it, through the functions of the product."""


def near(expected: Any, got: Any, *, rel: float = 0.0, abs_: float = 0.0) -> bool:
    """Equal, figures within the tolerance, in lists and mappings too."""
    if isinstance(expected, Mapping):
        return (
            isinstance(got, Mapping)
            and expected.keys() == got.keys()
            and all(near(expected[key], got[key], rel=rel, abs_=abs_) for key in expected)
        )
    if isinstance(expected, list | tuple):
        return (
            isinstance(got, list | tuple)
            and len(expected) == len(got)
            and all(near(e, g, rel=rel, abs_=abs_) for e, g in zip(expected, got, strict=True))
        )
    if isinstance(expected, float) or isinstance(got, float):
        figures = isinstance(expected, int | float) and isinstance(got, int | float)
        return figures and isclose(expected, got, rel_tol=rel, abs_tol=abs_)
    return bool(expected == got) and isinstance(expected, bool) == isinstance(got, bool)
