"""Reservation tokens: whose they are, how long they are good, what follows them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.reservation_tokens import LIFETIME, SETTLES, TokenKey, TokenKeys

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SITE = "shop-key-1"
SESSION = UUID("7b0d8f52-6a4e-4f0e-9a0f-0f6f1f3c2a11")
OTHER = UUID("0f2f7ab1-3a5e-4c52-8d39-1a1c51a6f1d0")


def a_key(letter: bytes, made_at: datetime = NOW - timedelta(days=9)) -> TokenKey:
    return TokenKey(secret=letter * 32, made_at=made_at)


KEYS = TokenKeys([a_key(b"a")])


def signed(keys: TokenKeys = KEYS, at: datetime = NOW) -> str:
    token = keys.sign(SITE, SESSION, at)
    assert token is not None
    return token


def test_the_form_is_the_one_that_is_told() -> None:
    """Made by hand from the words at the module's head."""
    moment = (int(NOW.timestamp()) + 24 * 3600).to_bytes(5, "big")
    told = moment + SESSION.bytes + SITE.encode()
    code = hmac.new(b"a" * 32, told, hashlib.sha256).digest()[:16]

    assert signed() == base64.urlsafe_b64encode(moment + code).decode()
    assert len(signed()) == 28


def test_a_token_is_good_for_its_session_until_it_is_over() -> None:
    assert KEYS.good(signed(), SITE, SESSION, NOW)
    assert KEYS.good(signed(), SITE, SESSION, NOW + LIFETIME - timedelta(seconds=1))
    assert not KEYS.good(signed(), SITE, SESSION, NOW + LIFETIME)
    # one router's clock may be behind the other's
    assert KEYS.good(signed(), SITE, SESSION, NOW - timedelta(minutes=5))


def test_a_token_says_nothing_of_other_sessions_and_sites() -> None:
    assert not KEYS.good(signed(), SITE, OTHER, NOW)
    assert not KEYS.good(signed(), "shop-key-2", SESSION, NOW)
    assert not KEYS.good(signed(), "", SESSION, NOW)


@given(place=st.integers(0, 27), letter=st.sampled_from("AZaz09-_+/= é"))
def test_whatever_is_changed_in_a_token_makes_it_worthless(place: int, letter: str) -> None:
    """A longer life too: the moment is signed."""
    token = signed()
    forged = token[:place] + letter + token[place + 1 :]

    assert KEYS.good(forged, SITE, SESSION, NOW) == (forged == token)


@given(token=st.none() | st.text(max_size=40) | st.text("ABab01-_", min_size=28, max_size=28))
def test_what_is_no_token_is_not_good(token: str | None) -> None:
    """And has no successor that would be good for anybody else."""
    assert not KEYS.good(token, SITE, SESSION, NOW)


@pytest.mark.parametrize(("age", "renewed"), [(0, False), (11.9, False), (12.1, True), (23, True)])
def test_a_token_is_followed_by_a_new_one_once_half_of_its_time_is_over(
    age: float, renewed: bool
) -> None:
    at = NOW + timedelta(hours=age)
    token = KEYS.renewed(signed(), SITE, SESSION, at)

    assert (token is not None) == renewed
    if token is not None:
        assert KEYS.good(token, SITE, SESSION, at + LIFETIME - timedelta(seconds=1))


def test_a_new_key_signs_when_all_routers_have_it_and_the_one_before_stays_good() -> None:
    """A router that has read the new key and one that has not take each other's tokens."""
    old, new = a_key(b"a"), a_key(b"b", NOW)
    before, after = TokenKeys([old]), TokenKeys([new, old])
    early, late = signed(after, NOW), signed(after, NOW + SETTLES)

    assert early == signed(before, NOW)
    assert late == signed(TokenKeys([new]), NOW + SETTLES)
    for token in (early, late):
        assert after.good(token, SITE, SESSION, NOW + SETTLES)
    assert not TokenKeys([new, a_key(b"c")]).good(early, SITE, SESSION, NOW + SETTLES)


def test_without_a_key_nothing_is_signed_or_taken() -> None:
    assert TokenKeys().sign(SITE, SESSION, NOW) is None
    assert not TokenKeys().good(signed(), SITE, SESSION, NOW)
