"""Patterns of two marks: ``*`` stands for any run of characters, ``?`` for one.

Nobody's regular expression is run: these take a time that grows with the text and the pattern, never with
the ways in which one may fit the other.
"""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression that a whole text has to match."""
    first, *rest = pattern.split("*")
    expression = _fixed(first)
    if rest:
        *middle, last = rest
        # the leftmost place for a part is never a worse one, so none is looked for twice: (?>…) forgets others
        expression += "".join(f"(?>.*?{_fixed(part)})" for part in middle if part)
        expression += f".*{_fixed(last)}"
    return re.compile(rf"(?s:{expression})\Z")


def fits(pattern: str, text: str) -> bool:
    """Whether all of `text` is as `pattern` says. Capitals count: both are given folded."""
    return compiled(pattern).match(text) is not None


def _fixed(part: str) -> str:
    return "".join("." if c == "?" else re.escape(c) for c in part)
