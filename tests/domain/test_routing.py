"""Where a call goes, and what the company sees of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain import routing
from router.domain.model import Attribution, Route, Target, TargetId, Touch, hundredths
from router.telephony import variables

OFFICE = Target(
    id=TargetId(1),
    name="office",
    kind="endpoint",
    endpoint="company",
    e164=None,
    trunk=None,
    ring_seconds=25,
)


def mobile(e164: str) -> Target:
    return Target(
        id=TargetId(2),
        name="mobile",
        kind="pstn",
        endpoint=None,
        e164=e164,
        trunk="trunk1",
        ring_seconds=20,
    )


def credited(source: str, medium: str, campaign: str, confidence: float = 0.97) -> Attribution:
    touch = Touch(source=source, medium=medium, campaign=campaign)
    return Attribution(
        method="reservation", level="session", confidence=confidence, model="m", touch=touch
    )


def test_the_first_allowed_target_is_taken() -> None:
    """The number's own target is refused as premium, so the site's rings."""
    plan = routing.plan([mobile("+78095551234"), OFFICE])

    assert plan.target == OFFICE
    assert plan.refused[0].startswith("mobile: ")


def test_a_tracking_number_is_no_target() -> None:
    """It would call itself without end."""
    plan = routing.plan([mobile("+79161234567")], frozenset({"+79161234567"}))

    assert plan.target is None
    assert plan.refused == ("mobile: +79161234567 is itself a tracking number",)


@pytest.mark.parametrize("e164", ["+870773111632", "+79001", "+78095551234"])
def test_dangerous_targets(e164: str) -> None:
    """Satellite, impossible and premium-rate numbers are refused when a call comes, too."""
    assert routing.refusal(mobile(e164)) is not None


@pytest.mark.parametrize(
    ("did", "raw", "first"),
    [
        ("74951234567", "+74951234567", "+74951234567"),
        ("74951234567", "84951234567", "+74951234567"),
        ("810442071234567", "810442071234567", "+810442071234567"),
        ("", "s", None),
        ("12", "12", None),
    ],
)
def test_readings_of_a_dialled_number(did: str, raw: str, first: str | None) -> None:
    """The dialplan's reading comes first."""
    assert next(iter(routing.dialled(did, raw)), None) == first


def test_international_prefixes() -> None:
    """810 and 00 are read as a plus sign, too."""
    assert "+442071234567" in routing.dialled("810442071234567", "810442071234567")
    assert "+442071234567" in routing.dialled("00442071234567", "00442071234567")


def test_only_a_whole_number_is_certainly_foreign() -> None:
    """A 404 needs certainty: a fragment may be ours in a form we did not understand."""
    assert routing.certainly_foreign("74951234567", "+74951234567")
    assert not routing.certainly_foreign("1234567", "1234567")
    assert not routing.certainly_foreign("", "account")


def test_the_name_on_the_display() -> None:
    """Source, medium, campaign and how sure."""
    assert routing.caller_name(credited("google", "cpc", "spring")) == "google / cpc / spring 97%"
    assert routing.caller_name(credited("yandex", "cpc", "", 1.0)) == "yandex / cpc"


def test_where_only_the_channel_is_known() -> None:
    """Its name stands for the source on the display, its key in the header."""
    touch = Touch(source="", medium="", campaign="spring", channel="meta_ads")
    attribution = replace(credited("x", "y", "z"), touch=touch)

    assert routing.caller_name(attribution) == "Meta Ads / spring 97%"
    assert routing.tags(attribution)["source"] == "meta_ads"


@given(st.text(), st.text(), st.text(), st.floats(0.5, 1))
def test_any_script_fits(source: str, medium: str, campaign: str, confidence: float) -> None:
    """At most 80 bytes of whole characters, nothing that could begin a line of its own."""
    name = routing.caller_name(credited(source, medium, campaign, confidence))

    assert len(name.encode()) <= 80
    assert not any(ord(c) < 32 or ord(c) == 127 for c in name)


def test_a_long_name_keeps_the_percent() -> None:
    """The end of the campaign goes, not the figure; Cyrillic is cut between letters."""
    name = routing.caller_name(credited("яндекс", "цпц", "весенняя распродажа " * 5))

    assert name.endswith("… 97%")
    assert 75 <= len(name.encode()) <= 80


def test_a_family_is_not_torn_apart() -> None:
    """An emoji of several parts stays whole or goes."""
    family = "👨‍👩‍👧‍👦"

    assert routing.cut("x" * 60 + family, 80) == "x" * 60 + "…"


HOSTILE = [
    "spring\r\nX-Evil: 1",
    'quo"te\\back',
    "9" * 9000,
    "emoji 🎉 весна",
    "nul\0l",
    "\x1b[31m",
    "a\u2028b",
    "\ud800",
]


@pytest.mark.parametrize("campaign", HOSTILE)
def test_what_a_visitor_writes_cannot_leave_its_value(campaign: str) -> None:
    """One line, one command, JSON that parses, however the utm was written."""
    attribution = credited("google", "cpc", campaign)
    line = variables.answer(
        Route(
            ref="r" * 22,
            targets=(OFFICE,),
            name=routing.caller_name(attribution),
            tags=routing.tags(attribution),
        )
    )
    command = variables.set_variable(variables.ANSWER, line)
    fields = json.loads(line)

    assert command.count(b"\n") == 1
    assert command.endswith(b'"\n')
    assert not any(byte < 32 for byte in command[:-1])
    assert len(line.encode()) <= 4000
    assert len(fields["n"].encode()) <= 80
    assert len(fields.get("hc", "")) <= 200
    assert fields.get("hc", "").isascii()


def test_readable_tags_survive() -> None:
    """Cyrillic and emoji arrive as they were written."""
    attribution = credited("google", "cpc", "весна 🎉")
    fields = json.loads(
        variables.answer(
            Route(
                ref="a" * 22, name=routing.caller_name(attribution), tags=routing.tags(attribution)
            )
        )
    )

    assert fields["n"] == "google / cpc / весна 🎉 97%"
    assert fields["hc"] == "%D0%B2%D0%B5%D1%81%D0%BD%D0%B0%20%F0%9F%8E%89"
    assert fields["hp"] == "0.97"


def test_a_plan_is_cut_at_a_whole_target() -> None:
    """Thirty targets do not fit: the rest goes, and it is said."""
    text, was_cut = variables.plan_text([mobile(f"+7916{i:07}") for i in range(30)])

    assert was_cut
    assert len(text) <= 512
    assert all(step.endswith("@trunk1^20") for step in text.split("!"))


def test_unwritable_values_are_refused() -> None:
    """The writer does not mend what should never have come to it."""
    with pytest.raises(variables.Unwritable, match="control character"):
        variables.dump({"n": "a\nb"}, 4000)
    with pytest.raises(variables.Unwritable, match="512 bytes"):
        variables.dump({"n": "я" * 300}, 4000)
    with pytest.raises(variables.Unwritable, match="none of"):
        variables.answer(Route(ref="abc", code=200))
    with pytest.raises(variables.Unwritable, match="variable's name"):
        variables.set_variable("CT R", "x")


def test_quotes_are_escaped_once_more_for_agi() -> None:
    """Asterisk undoes one layer when it reads the command."""
    assert variables.set_variable("CT_R", '{"n":"a\\"b"}') == (
        b'SET VARIABLE CT_R "{\\"n\\":\\"a\\\\\\"b\\"}"\n'
    )


def test_no_route_is_an_empty_object() -> None:
    """Which does not open Asterisk's breaker, and makes it take its own record."""
    assert variables.answer(None) == "{}"


@pytest.mark.parametrize(("p", "shown"), [(0.5, 50), (0.994, 99), (0.9999, 99), (1.0, 100)])
def test_what_is_not_certain_is_never_a_hundred_per_cent(p: float, shown: int) -> None:
    """The display, the header and the terminal round alike."""
    assert hundredths(p) == shown
