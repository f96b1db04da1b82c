"""The language of rules: text, JSON and value say the same; whatever a visit is, a rule has an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.errors import FieldError
from router.domain.model import Touch
from router.domain.rules import (
    AllOf,
    AnyOf,
    Condition,
    Facts,
    Not,
    Rule,
    from_json,
    holds,
    parse,
    to_json,
    why_not,
    words,
    written,
)
from router.domain.rules.globs import fits
from router.domain.rules.stored import all_from_json
from router.domain.rules.tree import FIELDS, condition

PAID = Touch(
    source="Google",
    medium="cpc",
    campaign="Весна sale",
    click_ids={"gclid": "abc", "_ga": "1.2"},
    channel="google_ads",
)
VISIT = Facts(
    touch=PAID,
    url="https://www.Shop.example/Blog/pumps.html?Color=Red%20wine&color=blue&empty=#top",
    referrer="https://l.facebook.com/post/1",
    device="mobile",
    region="RU-MOW",
    city="Moscow",
    visit=2,
)


@pytest.mark.parametrize(
    "text",
    [
        "source=google",
        "SOURCE = GOOGLE",
        "source=bing|google",
        "source!=bing",
        "source!=bing|yandex",
        "campaign*=SALE",
        'campaign="весна sale"',
        'campaign^="весна "',
        "campaign$=ale",
        "campaign~=*sal?",
        "term or campaign",
        "not term",
        "not content and not term",
        "channel=google_ads",
        "referrer@=facebook.com",
        "referrer=l.facebook.com",
        "not referrer@=book.com",
        "url*=shop.example/blog",
        "host=shop.example",
        "path^=/blog",
        "path~=/blog/*.html",
        'query:color="red wine"',
        "query:COLOR=blue",
        "query:color",
        "not query:empty",
        "click_id",
        "click_id=gclid",
        "not click_id=yclid",
        "region=ru-mow",
        "region^=RU",
        "city=moscow",
        "device=mobile",
        "visit=2",
        "source=bing or source=google medium=cpc",
        "(source=bing or source=google) and not (medium=organic or term)",
    ],
)
def test_what_holds(text: str) -> None:
    """Each kind of question, on one visit; and then its opposite does not hold, and says why."""
    rule = parse(text)

    assert holds(rule, VISIT)
    assert why_not(rule, VISIT) is None
    assert not holds(Not(part=rule), VISIT)
    assert why_not(Not(part=rule), VISIT)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("source=bing|yandex", "source is not 'bing' or 'yandex' but 'google'"),
        ("source!=google", "source is 'google'"),
        ("term=x", "term is not 'x': there is none"),
        ("term", "term is not given"),
        ("path^=/shop", "landing page's path does not begin with '/shop' but '/blog/pumps.html'"),
        ("source=google and medium=cpm and term", "medium is not 'cpm' but 'cpc'"),
        ("term or city=Kazan", "term is not given and city is not 'Kazan' but 'moscow'"),
        ("query:color=green", "parameter 'color' is not 'green' but 'red wine' and 'blue'"),
        ("not (source=google and visit=2)", "source is 'google' and visit number is '2'"),
    ],
)
def test_why_a_rule_does_not_hold(text: str, reason: str) -> None:
    """The first condition that decides it, and what the visit has instead."""
    assert why_not(parse(text), VISIT) == reason


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "at its end: it ends too early"),
        ("source=", "at its end: a value is expected"),
        ("sourse=a", "character 1 ('sourse=a'): 'sourse' is no field; there are source, "),
        ("source=a medum=b", "character 10 ('medum=b'): 'medum' is no field"),
        ("source=a)", "character 9 (')'): ')' is not expected here"),
        ("(source=a", "character 1 ('(source=a'): this parenthesis is not closed"),
        ('campaign="a', "character 10 ('\"a'): this quote is not closed"),
        ("source=a or", "at its end: it ends too early"),
        ("and", "character 1 ('and'): a condition is expected"),
        ("source=a||b", "character 10 ('|b'): a value is expected"),
        ("query:", "is no field"),
        ('source=""', "a value is missing; that there is none is `not source`"),
        ("not " * 9 + "term", "at most 8 are taken"),
        ("not " * 400 + "term", "more than 8 levels deep"),
        ("(" * 3000, "more than 8 levels deep"),
        ("term " * 101, "101 conditions, at most 100"),
        ("source=" + "x" * 256, "256 characters, at most 255"),
        ("x" * 10_001, "at most 10000 are read"),
    ],
)
def test_what_is_refused(text: str, problem: str) -> None:
    """Where, what, and an example of a good one."""
    with pytest.raises(FieldError) as refused:
        parse(text)

    assert problem in refused.value.problem
    assert refused.value.field == "rule"
    assert parse(refused.value.example)


@pytest.mark.parametrize(
    "found",
    [
        None,
        "source=google",
        {},
        {"all": []},
        {"all": {}},
        {"field": "source"},
        {"field": "source", "operator": "is", "values": "google"},
        {"field": "source", "operator": "is", "values": [1]},
        {"field": "source", "operator": "regex", "values": ["a"]},
        {"field": "source", "operator": "is", "values": []},
        {"field": "source", "operator": "present", "values": ["a"]},
        {"field": "nothing", "equals": "a"},
        {"field": "source", "equals": "a", "more": 1},
        {"not": {"any": [{"field": "source"}]}},
    ],
)
def test_json_that_is_refused(found: Any) -> None:
    """Never with another error than ours."""
    with pytest.raises(FieldError):
        from_json(found)


def test_the_first_form_is_still_read() -> None:
    """Pools that were set up before rules could say more."""
    old = [{"field": "source", "equals": "google"}, {"field": "medium", "equals": "cpc"}]

    assert all_from_json(old) == (parse("source=google"), parse("medium=cpc"))
    assert all_from_json([]) == ()
    assert from_json({"field": "term", "operator": "is", "value": "x"}) == parse("term=x")


def test_a_rule_in_words() -> None:
    """As lists and refusals show it."""
    assert words(parse("source=google (path^=/a or not term)")) == (
        "source is 'google' and (landing page's path begins with '/a' or term is not given)"
    )


# --- whatever is written ---------------------------------------------------------------------------------

TEXTS = st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1).filter(
    lambda text: text.isprintable() and len(text) <= 255
)
# a name of spaces alone is refused
NAMES = st.sampled_from(sorted(FIELDS)) | TEXTS.filter(str.strip).map(lambda name: f"query:{name}")
CONDITIONS = st.builds(
    condition,
    NAMES,
    st.sampled_from(
        ["is", "is_not", "one_of", "contains", "starts_with", "ends_with", "matches", "within"]
    ),
    st.lists(TEXTS, min_size=1, max_size=3),
) | NAMES.map(lambda name: condition(name, "present", []))
RULES = st.recursive(
    CONDITIONS,
    lambda inner: (
        st.builds(lambda part: Not(part=part), inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: AllOf(parts=tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: AnyOf(parts=tuple(parts)))
    ),
    max_leaves=6,
).filter(lambda rule: _depth(rule) <= 8)


def _depth(rule: Rule) -> int:
    if isinstance(rule, Condition):
        return 1
    return 1 + max(map(_depth, (rule.part,) if isinstance(rule, Not) else rule.parts))


@given(rule=RULES)
def test_text_and_json_and_value_say_the_same(rule: Rule) -> None:
    """Each is the others' equal, however odd the values are."""
    assert parse(written(rule)) == rule
    assert from_json(to_json(rule)) == rule


WILD = st.text(alphabet=st.characters(), max_size=60) | st.text(
    alphabet='/:?#[]@&=%.+*"\\ \0\udfffwww', max_size=60
)


@given(
    rule=RULES,
    source=WILD,
    url=WILD,
    tail=WILD,
    referrer=WILD,
    region=st.none() | WILD,
)
def test_every_rule_has_an_answer_for_every_visit(
    rule: Rule, source: str, url: str, tail: str, referrer: str, region: str | None
) -> None:
    """Never an error; and a rule that does not hold says why."""
    facts = Facts(
        touch=Touch(source=source, medium=source, click_ids={source: referrer}),
        url=f"https://{url}?{tail}",
        referrer=referrer,
        region=region,
    )

    assert holds(rule, facts) == (why_not(rule, facts) is None)
    assert holds(Not(part=rule), facts) != holds(rule, facts)


@given(text=st.text(alphabet="ab.*", max_size=12), pattern=st.text(alphabet="ab?*.", max_size=8))
def test_a_pattern_fits_as_defined(text: str, pattern: str) -> None:
    """The definition, slow and plain."""

    def plain(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(plain(pattern[1:], text[i:]) for i in range(len(text) + 1))
        return bool(text) and pattern[0] in ("?", text[0]) and plain(pattern[1:], text[1:])

    assert fits(pattern, text) == plain(pattern, text)


def test_no_pattern_takes_for_ever() -> None:
    """A pattern that a regular expression would try in 10^40 ways: tried in one."""
    assert not fits("*a" * 100 + "b", "a" * 2000)
    assert fits("*a" * 100 + "*", "a" * 2000)
