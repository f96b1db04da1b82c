"""Rules as people write them.

    source=google                       is; source=google|bing is one of several
    source!=google                      is not
    campaign*=sale                      contains
    path^=/blog   path$=.html           begins with, ends with
    campaign~=spring-*-2026             is like: * any run of characters, ? one character
    referrer@=facebook.com              the host or a part of its domain
    campaign                            there is one
    query:color=red                     a parameter of the landing page

joined by ``and`` (or nothing), ``or``, ``not`` and parentheses; `not` binds closest, `or` loosest. A value with
blanks, quotes, parentheses or | stands in double quotes, in which \\" and \\\\ mean " and \\.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from router.domain.rules.stored import group
from router.domain.rules.tree import (
    DEPTH,
    EXAMPLE,
    QUERY,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Operator,
    Rule,
    RuleRefused,
    condition,
    sensible,
)

_MARKS: Mapping[str, Operator] = {
    "!=": "is_not",
    "*=": "contains",
    "^=": "starts_with",
    "$=": "ends_with",
    "~=": "matches",
    "@=": "within",
    "=": "is",
}
_WRITTEN: Mapping[Operator, str] = {
    **{operator: mark for mark, operator in _MARKS.items()},
    "one_of": "=",
}
_MARK = re.compile("|".join(re.escape(mark) for mark in _MARKS))
_NAME = re.compile(r"[a-z_]+(?::(?=[^\s=]))?", re.IGNORECASE)
_BARE_NAME = re.compile(r"""[^\s()|"=!*^$~@]+""")
_BARE = re.compile(r"""[^\s()|"]+""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD = re.compile(r"(and|or|not)(?![a-z0-9_:=!*^$~@])", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
LENGTH = 10_000


def parse(text: str) -> Rule:
    """Text → rule. Raises RuleRefused, naming the character, the problem and an example."""
    if len(text) > LENGTH:
        raise RuleRefused(f"{len(text)} characters, at most {LENGTH} are read")
    return sensible(_Reader(text).whole())


def written(rule: Rule) -> str:
    """The reverse of `parse`."""
    if isinstance(rule, Condition):
        return _field(rule.field) + _mark(rule) + "|".join(_value(v) for v in rule.values)
    if isinstance(rule, Not):
        return f"not {_part(rule.part)}"
    return (" and " if isinstance(rule, AllOf) else " or ").join(_part(p) for p in rule.parts)


def all_written(rules: Sequence[Rule]) -> str:
    """Rules of which all hold, as one; empty where there is none."""
    return written(group(AllOf, rules)) if rules else ""


def _part(rule: Rule) -> str:
    return f"({written(rule)})" if isinstance(rule, AllOf | AnyOf) else written(rule)


def _mark(rule: Condition) -> str:
    return "" if rule.operator == "present" else _WRITTEN[rule.operator]


def _field(name: str) -> str:
    if not name.startswith(QUERY):
        return name
    parameter = name[len(QUERY) :]
    return QUERY + (parameter if _BARE_NAME.fullmatch(parameter) else _quoted(parameter))


def _value(text: str) -> str:
    return text if _BARE.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class _Reader:
    """Goes through one text, from its first character to its last."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._depth = 0

    def whole(self) -> Rule:
        rule = self._either()
        if self._place < len(self._text):
            self._refuse(f"{self._text[self._place]!r} is not expected here")
        return rule

    def _either(self) -> Rule:
        parts = [self._together()]
        while self._word("or"):
            parts.append(self._together())
        return group(AnyOf, parts)

    def _together(self) -> Rule:
        parts = [self._single()]
        while True:
            self._blanks()
            if self._ahead() in ("", ")") or self._next_word() == "or":
                return group(AllOf, parts)
            self._word("and")
            parts.append(self._single())

    def _single(self) -> Rule:
        self._depth += 1
        if self._depth > 2 * DEPTH:
            self._refuse(f"more than {DEPTH} levels deep")
        try:
            if self._word("not"):
                return Not(part=self._single())
            if self._ahead() == "(":
                opened = self._place
                self._place += 1
                rule = self._either()
                if self._ahead() != ")":
                    self._refuse("this parenthesis is not closed", opened)
                self._place += 1
                return rule
            return self._condition()
        finally:
            self._depth -= 1

    def _condition(self) -> Condition:
        began = self._place
        name = _NAME.match(self._text, began)
        if not name or self._next_word():
            self._refuse("a condition is expected" if self._ahead() else "it ends too early")
        self._place = name.end()
        field = name[0]
        if field.endswith(":"):
            field += self._piece(_BARE_NAME, "the parameter's name")
        self._blanks()
        mark = _MARK.match(self._text, self._place)
        values: list[str] = []
        if mark:
            self._place = mark.end()
            self._blanks()
            values.append(self._piece(_BARE, "a value"))
            while self._ahead() == "|":
                self._place += 1
                values.append(self._piece(_BARE, "a value"))
        try:
            return condition(field, _MARKS[mark[0]] if mark else "present", values)
        except RuleRefused as refused:
            raise RuleRefused(
                f"{self._where(began)}: {refused.problem}", refused.example
            ) from refused

    def _piece(self, bare: re.Pattern[str], what: str) -> str:
        if self._ahead() == '"':
            quoted = _QUOTED.match(self._text, self._place)
            if not quoted:
                self._refuse("this quote is not closed")
            self._place = quoted.end()
            return _ESCAPED.sub(r"\1", quoted[1])
        found = bare.match(self._text, self._place)
        if not found:
            self._refuse(f"{what} is expected")
        self._place = found.end()
        return found[0]

    def _word(self, wanted: str) -> bool:
        """Passes over `wanted` if it stands here."""
        self._blanks()
        if self._next_word() != wanted:
            return False
        self._place += len(wanted)
        self._blanks()
        return True

    def _next_word(self) -> str:
        found = _WORD.match(self._text, self._place)
        return found[1].lower() if found else ""

    def _ahead(self) -> str:
        return self._text[self._place : self._place + 1]

    def _blanks(self) -> None:
        while self._ahead().isspace():
            self._place += 1

    def _where(self, place: int) -> str:
        return f"character {place + 1} ({self._text[place : place + 20]!r})"

    def _refuse(self, problem: str, place: int | None = None) -> NoReturn:
        place = self._place if place is None else place
        where = self._where(place) if place < len(self._text) else "at its end"
        raise RuleRefused(f"{where}: {problem}", EXAMPLE)
