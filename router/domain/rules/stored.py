"""Rules as JSON: in `pool.rules`, in the API.

    {"field": "source", "operator": "is", "values": ["google"]}
    {"all": […]}   {"any": […]}   {"not": …}

A list of them means that all hold; an empty one serves every visit. Also read: ``"value": "google"`` for one
value, and ``{"field": "source", "equals": "google"}``, as the first pools have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from router.domain.rules.tree import (
    DEPTH,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Rule,
    RuleRefused,
    condition,
    sensible,
)

_EXAMPLE = '{"field": "source", "operator": "is", "values": ["google"]}'


def to_json(rule: Rule) -> dict[str, Any]:
    """The form above."""
    if isinstance(rule, Condition):
        return {"field": rule.field, "operator": rule.operator, "values": list(rule.values)}
    if isinstance(rule, Not):
        return {"not": to_json(rule.part)}
    name = "all" if isinstance(rule, AllOf) else "any"
    return {name: [to_json(part) for part in rule.parts]}


def from_json(found: Any) -> Rule:
    """The reverse of `to_json`. Raises RuleRefused, naming where."""
    return sensible(_read(found, "", 0))


def all_from_json(found: Any) -> tuple[Rule, ...]:
    """A list of rules of which all hold. Raises RuleRefused."""
    if not isinstance(found, list):
        return (from_json(found),)
    return tuple(sensible(_read(one, f"[{place}]", 0)) for place, one in enumerate(found))


def _read(found: Any, where: str, depth: int) -> Rule:
    if depth > DEPTH:
        raise RuleRefused(f"{where}: more than {DEPTH} levels deep")
    if not isinstance(found, dict):
        raise RuleRefused(f"{where or 'it'} is not an object", _EXAMPLE)
    if len(found) == 1:
        ((name, inner),) = found.items()
        if name == "not":
            return Not(part=_read(inner, f"{where}.not", depth + 1))
        if name in ("all", "any"):
            if not isinstance(inner, list) or not inner:
                raise RuleRefused(f"{where}.{name} is not a list of rules", _EXAMPLE)
            parts = [_read(part, f"{where}.{name}[{i}]", depth + 1) for i, part in enumerate(inner)]
            return group(AllOf if name == "all" else AnyOf, parts)
    return _condition(found, where)


def group(kind: type[AllOf] | type[AnyOf], parts: Sequence[Rule]) -> Rule:
    """All or any of `parts`; of a single one that one itself."""
    return parts[0] if len(parts) == 1 else kind(parts=tuple(parts))


def _condition(found: dict[str, Any], where: str) -> Condition:
    field = found.get("field")
    rest = {name: value for name, value in found.items() if name != "field"}
    if rest.keys() == {"equals"}:
        rest = {"operator": "is", "values": [rest["equals"]]}
    if "value" in rest and "values" not in rest:
        rest["values"] = [rest.pop("value")]
    operator, values = rest.pop("operator", None), rest.pop("values", [])
    if rest or not isinstance(field, str) or not isinstance(operator, str):
        raise RuleRefused(f"{where or 'it'} is no condition and no all, any or not", _EXAMPLE)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RuleRefused(f"{where or 'it'}: its values are not a list of texts", _EXAMPLE)
    return condition(field, operator, values)
