"""Rules as values: conditions, and all, any and not over them; whether one holds, and if not, why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

from router.domain.errors import FieldError
from router.domain.rules import globs

Operator = Literal[
    "is",
    "is_not",
    "one_of",
    "contains",
    "starts_with",
    "ends_with",
    "matches",
    "within",
    "present",
]
# What a condition can ask for, and how people call it.
FIELDS: Mapping[str, str] = {
    "source": "source",
    "medium": "medium",
    "campaign": "campaign",
    "term": "term",
    "content": "content",
    "channel": "channel",
    "referrer": "referring host",
    "url": "landing page",
    "host": "landing page's host",
    "path": "landing page's path",
    "click_id": "click id",
    "region": "region",
    "city": "city",
    "device": "device",
    "visit": "visit number",
}
# ``query:color`` is the parameter `color` of the landing page
QUERY = "query:"

VALUE_LENGTH, VALUES, CONDITIONS, DEPTH = 255, 100, 100, 8
EXAMPLE = "source=google and not path^=/blog"


class RuleRefused(FieldError):
    """A rule was refused."""

    def __init__(self, problem: str, example: str = EXAMPLE) -> None:
        super().__init__("rule", problem, example)


class Asked(Protocol):
    """A visit: what it has of a field, folded. Several where there may be several, none where nothing is."""

    def values(self, field: str, /) -> Sequence[str]: ...


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, wanted: wanted in text,
    "starts_with": lambda text, wanted: text.startswith(wanted),
    "ends_with": lambda text, wanted: text.endswith(wanted),
    "matches": lambda text, wanted: globs.fits(wanted, text),
    "within": lambda text, wanted: text == wanted or text.endswith(f".{wanted}"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One question. `field` is one of FIELDS, or ``query:`` and a parameter's name.

    is, one_of                           the value is (one of) `values`
    is_not                               it is none of them; also where there is no value
    contains, starts_with, ends_with     any of `values` stands in it, at its beginning, at its end
    matches                              any of `values` fits it, with ``*`` and ``?``
    within                               a host: any of `values`, or a part of that domain
    present                              there is a value; `values` is empty

    Capitals never count. Made by `condition`, which refuses what makes no sense.
    """

    field: str
    operator: Operator
    values: tuple[str, ...] = ()
    folded: tuple[str, ...] = dataclasses.field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", tuple(value.casefold() for value in self.values))

    def holds(self, visit: Asked) -> bool:
        found = visit.values(self.field)
        operator, folded = self.operator, self.folded
        if operator in ("is", "one_of"):
            return any(value in folded for value in found)
        if operator == "present":
            return bool(found)
        if operator == "is_not":
            return not any(value in folded for value in found)
        fits = _TESTS[operator]
        return any(fits(value, wanted) for value in found for wanted in folded)


@dataclass(frozen=True, kw_only=True, slots=True)
class AllOf:
    """Every one of at least two parts holds."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AnyOf:
    """At least one of at least two parts holds."""

    parts: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    part: Rule


Rule: TypeAlias = Condition | AllOf | AnyOf | Not


def condition(field: str, operator: str, values: Sequence[str]) -> Condition:
    """A condition that makes sense, or RuleRefused. One value of ``one_of`` makes it ``is``, several of
    ``is`` make it ``one_of``."""
    head, colon, parameter = field.strip().partition(":")
    name = head.lower() + colon + parameter.casefold()
    if name not in FIELDS and (not name.startswith(QUERY) or len(name) == len(QUERY)):
        known = ", ".join([*FIELDS, f"{QUERY}NAME"])
        raise RuleRefused(f"{field!r} is no field; there are {known}")
    if operator not in get_args(Operator):
        raise RuleRefused(f"{operator!r} is no operator; there are {', '.join(get_args(Operator))}")
    if operator == "present":
        if values:
            raise RuleRefused(f"{field}: present takes no value", "campaign")
        return Condition(field=name, operator="present")
    given = tuple(dict.fromkeys(values))
    if not given or "" in given:
        raise RuleRefused(f"{field}: a value is missing; that there is none is `not {field}`")
    if len(given) > VALUES:
        raise RuleRefused(f"{field}: {len(given)} values, at most {VALUES} are taken")
    for value in given:
        if len(value) > VALUE_LENGTH:
            raise RuleRefused(
                f"{field}: a value of {len(value)} characters, at most {VALUE_LENGTH}"
            )
        if not value.isprintable():
            raise RuleRefused(f"{field}: {value!r} contains control characters")
    if operator in ("is", "one_of"):
        operator = "is" if len(given) == 1 else "one_of"
    return Condition(field=name, operator=operator, values=given)  # type: ignore[arg-type]


def sensible(rule: Rule) -> Rule:
    """`rule`, or RuleRefused if it is larger than anybody can mean."""
    conditions, depth = _size(rule)
    if conditions > CONDITIONS:
        raise RuleRefused(f"{conditions} conditions, at most {CONDITIONS} are taken")
    if depth > DEPTH:
        raise RuleRefused(f"{depth} levels deep, at most {DEPTH} are taken")
    return rule


def fields_of(rule: Rule) -> frozenset[str]:
    """The fields that a rule asks for."""
    if isinstance(rule, Condition):
        return frozenset((rule.field,))
    if isinstance(rule, Not):
        return fields_of(rule.part)
    return frozenset().union(*(fields_of(part) for part in rule.parts))


def values_of(rule: Rule, field: str) -> frozenset[str]:
    """The values with which a rule compares `field` as a whole, folded."""
    if isinstance(rule, Condition):
        whole = rule.field == field and rule.operator in ("is", "is_not", "one_of")
        return frozenset(rule.folded) if whole else frozenset()
    parts = (rule.part,) if isinstance(rule, Not) else rule.parts
    return frozenset().union(*(values_of(part, field) for part in parts))


def _size(rule: Rule) -> tuple[int, int]:
    if isinstance(rule, Condition):
        return 1, 1
    sizes = [_size(part) for part in ((rule.part,) if isinstance(rule, Not) else rule.parts)]
    return sum(size for size, _ in sizes), 1 + max(depth for _, depth in sizes)


def holds(rule: Rule, visit: Asked) -> bool:
    """Never raises, whatever the visit is."""
    if isinstance(rule, Condition):
        return rule.holds(visit)
    if isinstance(rule, AllOf):
        return all(holds(part, visit) for part in rule.parts)
    if isinstance(rule, AnyOf):
        return any(holds(part, visit) for part in rule.parts)
    return not holds(rule.part, visit)


def why_not(rule: Rule, visit: Asked) -> str | None:
    """Why a rule does not hold, naming the first condition that decides it; None if it does."""
    if holds(rule, visit):
        return None
    if isinstance(rule, Condition):
        return _missed(rule, visit)
    if isinstance(rule, AllOf):
        return next(reason for part in rule.parts if (reason := why_not(part, visit)))
    if isinstance(rule, AnyOf):
        return " and ".join(reason for part in rule.parts if (reason := why_not(part, visit)))
    return words(rule.part)


_VERBS: Mapping[Operator, tuple[str, str]] = {
    "is": ("is", "is not"),
    "one_of": ("is", "is not"),
    "is_not": ("is not", "is"),
    "contains": ("contains", "does not contain"),
    "starts_with": ("begins with", "does not begin with"),
    "ends_with": ("ends with", "does not end with"),
    "matches": ("is like", "is not like"),
    "within": ("is within", "is not within"),
    "present": ("is given", "is not given"),
}


def words(rule: Rule) -> str:
    """A rule as a sentence says it."""
    if isinstance(rule, Condition):
        return _said(rule, _VERBS[rule.operator][0])
    if isinstance(rule, Not):
        if isinstance(rule.part, Condition):
            return _said(rule.part, _VERBS[rule.part.operator][1])
        return f"not ({words(rule.part)})"
    joined = " and " if isinstance(rule, AllOf) else " or "
    return joined.join(
        words(part) if isinstance(part, Condition | Not) else f"({words(part)})"
        for part in rule.parts
    )


def field_words(name: str) -> str:
    """``path`` → ``landing page's path``."""
    if name.startswith(QUERY):
        return f"parameter {name[len(QUERY) :]!r}"
    return FIELDS[name]


def _said(rule: Condition, verb: str) -> str:
    return " ".join(
        filter(None, (field_words(rule.field), verb, " or ".join(repr(v) for v in rule.values)))
    )


def _missed(rule: Condition, visit: Asked) -> str:
    missed = _said(rule, _VERBS[rule.operator][1])
    if rule.operator in ("present", "is_not"):
        return missed
    found = visit.values(rule.field)
    if not found:
        return f"{missed}: there is none"
    return f"{missed} but {' and '.join(repr(value[:80]) for value in found[:3])}"
