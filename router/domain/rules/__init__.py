"""The language in which pools and channels say which visits they are for.

`tree` holds the values and decides, `text` is how people write them, `stored` how the database and the API
hold them, `facts` what a visit answers.
"""

from router.domain.rules.facts import Facts
from router.domain.rules.stored import from_json, to_json
from router.domain.rules.text import parse, written
from router.domain.rules.tree import AllOf, AnyOf, Condition, Not, Rule, holds, why_not, words

__all__ = [
    "AllOf",
    "AnyOf",
    "Condition",
    "Facts",
    "Not",
    "Rule",
    "from_json",
    "holds",
    "parse",
    "to_json",
    "why_not",
    "words",
    "written",
]
