"""Blocks of numbers, codes that change, and where numbers are."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain import numbering, phone
from router.domain.errors import FieldError, PhoneRefused
from router.domain.numbering import Block, CodeChange, forms, newest_form, same_region


@pytest.mark.parametrize(
    ("text", "region", "prefix", "places"),
    [
        ("1-315-658-2", None, "+13156582", 3),
        ("1-315-658", None, "+1315658", 4),
        ("+1 (315) 658-25", None, "+131565825", 2),
        ("7 495 111", None, "+7495111", 4),
        ("8 495 111-2xxx", "RU", "+74951112", 3),
        ("+49 30 901820xx", None, "+4930901820", 2),
    ],
)
def test_blocks_as_administrations_write_them(
    text: str, region: str | None, prefix: str, places: int
) -> None:
    assert phone.block(text, region) == (prefix, places)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1-315", "neither a number nor a block"),
        ("+7 495 xxxxx", "more than 10,000 numbers"),
        ("+7 4x5 111 2xxx", "only at the end"),
        ("+49 30 901820", "several sizes"),
        ("1-315-058-2", "neither a number nor a block"),
    ],
)
def test_what_is_no_block(text: str, problem: str) -> None:
    with pytest.raises(PhoneRefused, match=problem):
        phone.block(text)


def test_a_block_counts_its_numbers() -> None:
    block = Block(prefix="+13156582", places=3)
    numbers = list(block.numbers())

    assert (numbers[0], numbers[-1], len(numbers)) == ("+13156582000", "+13156582999", 1000)
    assert block.holds("+13156582017")
    assert not block.holds("+1315658201")


@given(st.sets(st.integers(0, 99)))
def test_last_digits_are_read_as_they_are_written(ends: set[int]) -> None:
    block = Block(prefix="+131565820", places=2)
    numbers = tuple(f"+131565820{end:02}" for end in sorted(ends))

    assert (
        numbering.some_of(block, numbering.last_digits(block, numbers), field="ported") == numbers
    )


@pytest.mark.parametrize("text", ["17", "0017", "030-029", "abc"])
def test_last_digits_that_are_none(text: str) -> None:
    with pytest.raises(FieldError, match="contaminated"):
        numbering.some_of(Block(prefix="+13156582", places=3), text, field="contaminated")


def test_a_number_in_both_forms(now: datetime) -> None:
    """Only while both are valid; the new one is how it is written then."""
    change = CodeChange(
        old="+1315658", new="+1680658", from_at=now, until_at=now + timedelta(days=90)
    )
    old, new = "+13156582017", "+16806582017"

    assert forms(old, [change], now) == (old, new)
    assert forms(new, [change], now) == (new, old)
    assert newest_form(old, [change], now) == newest_form(new, [change], now) == new
    for t in (now - timedelta(seconds=1), now + timedelta(days=90)):
        assert forms(old, [change], t) == (old,)
        assert newest_form(old, [change], t) == old
    assert forms("+13156592017", [change], now) == ("+13156592017",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("RU-MOW", "RU-MOW", True),
        ("RU-MOW", "RU-SPE", False),
        ("RU-MOW", "RU", None),
        ("RU", "RU", True),
        ("RU-MOW", "US", False),
        (None, "RU", None),
        ("RU", "", None),
    ],
)
def test_regions_are_compared_only_at_one_level(
    one: str | None, other: str | None, same: bool | None
) -> None:
    assert same_region(one, other) is same
    assert same_region(other, one) is same
