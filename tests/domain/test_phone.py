"""Anything a person writes becomes E.164, or is refused with the reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain import phone
from router.domain.errors import PhoneRefused


@pytest.mark.parametrize(
    "text",
    ["8 (495) 123-45-67", "+7 495 123 45 67", "84951234567", "(495) 123-45-67", " +7(495)1234567 "],
)
def test_usual_spellings_are_one_number(text: str) -> None:
    """Spaces, brackets, dashes and the national prefix do not matter."""
    assert phone.parse(text, "RU") == "+74951234567"


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("12", "RU", "too short"),
        ("+7495123456789012", None, "too long"),
        ("+999 123 456 789", None, "not a telephone number|country code does not exist"),
        ("hello", "RU", "not a telephone number"),
        ("4951234567", None, "has no country code"),
        ("+7 000 000 00 00", None, "no carrier of RU has numbers like it"),
    ],
)
def test_a_wrong_number_is_refused_with_the_reason(
    text: str, region: str | None, reason: str
) -> None:
    """The error names the field, says why, and shows a good one."""
    with pytest.raises(PhoneRefused, match=reason) as refused:
        phone.parse(text, region, field="default_number")

    assert refused.value.field == "default_number"
    assert refused.value.example == "+74951234567"


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("112", "RU"),
        ("+8816 1234 5678", None),
        ("+870 773 111 632", None),
        ("8 809 123 45 67", "RU"),
        ("+1 900 234 5678", "US"),
    ],
)
def test_a_target_that_costs_or_saves_lives_is_refused(text: str, region: str | None) -> None:
    """Emergency, satellite and premium-rate numbers are never dialled."""
    with pytest.raises(PhoneRefused, match=r"emergency|satellite|premium"):
        phone.parse_target(text, region)


def test_an_ordinary_target_is_taken() -> None:
    """A company's own line."""
    assert phone.parse_target("8 495 123-45-67", "RU") == "+74951234567"


def test_display_forms() -> None:
    """What a page shows where it has no format of its own."""
    assert phone.national("+74951234567") == "8 (495) 123-45-67"
    assert phone.international("+74951234567") == "+7 495 123-45-67"


@pytest.mark.parametrize(
    ("given_number", "kept"),
    [
        ("84951234567", "+74951234567"),
        ("anonymous", ""),
        ("", ""),
        ("1001", "1001"),
        ("+1;DROP", "+1"),
    ],
)
def test_a_caller_is_never_refused(given_number: str, kept: str) -> None:
    """Hidden, internal and strange numbers are served like any other."""
    assert phone.caller(given_number, "RU") == kept


@given(st.text(max_size=100))
def test_no_caller_breaks_it(text: str) -> None:
    """Whatever a trunk sends, what is kept is digits with an optional plus."""
    kept = phone.caller(text, "RU")

    assert set(kept) <= set("+0123456789")
