"""JavaScript without its comments and white space, and with short names.

For our own snippet only: it ends its statements with semicolons, no template literal of it holds another
one, and what it declares hides no global of the same name. The same source gives the same bytes always.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from string import ascii_letters

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      |(?P<licence>/\*!.*?\*/)
      |(?P<comment>//[^\n]*|/\*.*?\*/)
      |(?P<template>`(?:\\.|[^`\\])*`)
      |(?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
      |(?P<word>[\w$]+)
      |(?P<regex>/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*)
      |(?P<spread>\.\.\.)
      |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
# a slash after one of these begins a regular expression; after anything else it divides
_BEFORE_REGEX = frozenset("(,=:[!&|?{};+-*%~^<>")
# a line that ends, or begins, with one of these is not a whole statement: its end means nothing
_GOES_ON = frozenset("{;,([=:?&|+-*<>!")
_WENT_ON = frozenset("})],;.?:=&|+*<>")


@dataclass(frozen=True, slots=True)
class _Token:
    """`gap` stood before it: nothing, a blank, or the end of a line."""

    kind: str
    text: str
    gap: str


def minify(source: str) -> str:
    """The same program. Raises ValueError for text that is not JavaScript."""
    tokens = list(_tokens(source))
    names = _short_names(tokens)
    parts: list[str] = []
    last = ""
    for token in tokens:
        if token.kind == "licence":
            parts.append(token.text + "\n")
            continue
        text = names.get(token.text, token.text) if token.kind == "word" else token.text
        if token.gap and last:
            parts.append(_between(last[-1], text[0], token.gap))
        parts.append(text)
        last = text
    return "".join(parts)


def _tokens(source: str) -> Iterator[_Token]:
    last, gap, at = "", "", 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise ValueError(f"what is this: {source[at : at + 20]!r}")
        kind, text = found.lastgroup or "", found[0]
        divides = last and last[-1] not in _BEFORE_REGEX and last not in ("return", "typeof")
        if kind == "regex" and divides:
            kind, text = "sign", "/"
        at += len(text)
        if kind in ("space", "comment"):
            gap = "\n" if "\n" in text or gap == "\n" else " "
            continue
        yield _Token(kind, text, gap)
        last, gap = ("", "") if kind == "licence" else (text, "")


def _between(before: str, after: str, gap: str) -> str:
    """What has to stay of the white space between two tokens."""
    if gap == "\n" and before not in _GOES_ON and after not in _WENT_ON:
        return "\n"
    both_words = _of_word(before) and _of_word(after)
    return " " if both_words or (before == after and before in "+-") else ""


def _of_word(character: str) -> bool:
    return character.isalnum() or character in "_$"


def _short_names(tokens: Sequence[_Token]) -> dict[str, str]:
    """For what the program declares and nobody else can see, the most frequent name first. A name that
    is anywhere a property's, or may be, stays: as a key, after a dot, in a template."""
    words = Counter(token.text for token in tokens if token.kind == "word")
    declared: set[str] = set()
    seen_outside: set[str] = set()
    brackets: list[str] = []
    framed = [_Token("sign", "", ""), *tokens, _Token("sign", "", "")]
    for before, token, after in zip(framed, framed[1:], framed[2:], strict=False):
        if token.kind == "template":
            seen_outside |= set(re.findall(r"[\w$]+", token.text))
        elif token.text in ("(", "[", "{"):
            brackets.append(token.text)
        elif token.text in (")", "]", "}") and brackets:
            brackets.pop()
        if token.kind != "word":
            continue
        if before.text in ("const", "let", "function") or (before.text, after.text) == (",", "="):
            declared.add(token.text)
        in_braces = brackets[-1:] == ["{"]
        named = before.text in ("{", ",", "get", "set", "async")
        member = in_braces and named and after.text in (",", "}", "(")
        opens_braces = in_braces and before.text == "{" and after.text == "="
        if before.text == "." or after.text == ":" or member or opens_braces:
            seen_outside.add(token.text)
    letters = ("".join(pair) for n in (1, 2) for pair in product(ascii_letters, repeat=n))
    taken = {*words, *seen_outside, "do", "if", "in", "of"}
    free = (name for name in letters if name not in taken)
    hidden = [name for name in declared - seen_outside if len(name) > 2]
    return dict(zip(sorted(hidden, key=lambda name: (-words[name], name)), free, strict=False))
