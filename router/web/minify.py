"""JavaScript without its comments and its white space.

For our own snippet only: it ends its statements with semicolons, and no template literal of it holds
another one. Names stay as they are, so that a fault seen in a browser can be found in the source.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      |(?P<licence>/\*!.*?\*/)
      |(?P<comment>//[^\n]*|/\*.*?\*/)
      |(?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)
      |(?P<word>[\w$]+)
      |(?P<regex>/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*)
      |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
# a slash after one of these begins a regular expression; after anything else it divides
_BEFORE_REGEX = frozenset("(,=:[!&|?{};+-*%~^<>")
# a line that ends, or begins, with one of these is not a whole statement: its end means nothing
_GOES_ON = frozenset("{;,([=:?&|+-*<>!")
_WENT_ON = frozenset("})],;.?:=&|+*<>")


def minify(source: str) -> str:
    """The same program. Raises ValueError for text that is not JavaScript."""
    parts: list[str] = []
    last, gap, at = "", "", 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise ValueError(f"what is this: {source[at : at + 20]!r}")
        kind, token = found.lastgroup, found[0]
        if kind == "regex" and not (
            not last or last[-1] in _BEFORE_REGEX or last in ("return", "typeof")
        ):
            kind, token = "sign", "/"
        at += len(token)
        if kind in ("space", "comment"):
            gap = "\n" if "\n" in token or gap == "\n" else " "
            continue
        if kind == "licence":
            parts.append(token + "\n")
            gap = ""
            continue
        if gap and last:
            parts.append(_between(last[-1], token[0], gap))
        parts.append(token)
        last, gap = token, ""
    return "".join(parts)


def _between(before: str, after: str, gap: str) -> str:
    """What has to stay of the white space between two tokens."""
    if gap == "\n" and before not in _GOES_ON and after not in _WENT_ON:
        return "\n"
    both_words = _of_word(before) and _of_word(after)
    return " " if both_words or (before == after and before in "+-") else ""


def _of_word(character: str) -> bool:
    return character.isalnum() or character in "_$"
