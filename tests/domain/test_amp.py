"""Host names that AMP caches make of publishers'."""

from __future__ import annotations

import pytest

from router.domain.amp import publisher, subdomain

OWN = ("https://shop.example", "https://www.shop.example")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("example.com", "example-com"),
        ("foo.example.com", "foo-example-com"),
        ("foo-example.com", "foo--example-com"),
        ("en-us.example.com", "0-en--us-example-com-0"),
        ("xn--57hw060o.com", "xn---com-p33b41770a"),
    ],
)
def test_a_readable_name(host: str, expected: str) -> None:
    """Dashes doubled, dots to dashes; what would look like an encoded name is fenced."""
    assert subdomain(host) == expected


@pytest.mark.parametrize("host", ["a" * 60 + ".example", "localhost", "xn--zzzzzzzz99999999.com"])
def test_a_name_that_cannot_be_read_is_a_hash(host: str) -> None:
    """52 letters and digits, always the same, another for another host."""
    made = subdomain(host)

    assert len(made) <= 63
    assert made == subdomain(host) != subdomain(host + "x")


def test_pages_of_the_site_and_their_copies_in_caches() -> None:
    """Nobody else's page, and no cache that is none."""
    assert publisher("https://www.shop.example", OWN) == "https://www.shop.example"
    assert publisher("https://www-shop-example.cdn.ampproject.org", OWN) == OWN[1]
    assert publisher("https://shop-example.bing-amp.com", OWN) == OWN[0]
    for stranger in (
        "https://other-example.cdn.ampproject.org",
        "http://shop-example.cdn.ampproject.org",
        "https://shop-example.cdn.ampproject.org.evil.example",
        "https://shop-example.evil.example",
        "",
    ):
        assert publisher(stranger, OWN) is None
