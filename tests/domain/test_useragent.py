"""What a User-Agent header tells."""

from __future__ import annotations

import pytest

from router.domain.useragent import device, is_bot

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "  ",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "curl/8.5.0",
        "x" * 5000,
    ],
)
def test_bots(user_agent: str) -> None:
    """Crawlers, tools, those who say nothing, and those who say far too much."""
    assert is_bot(user_agent)


@pytest.mark.parametrize("user_agent", [CHROME, IPHONE])
def test_people(user_agent: str) -> None:
    """A browser is not a bot."""
    assert not is_bot(user_agent)


def test_devices() -> None:
    """Where a number is tapped, and where it is typed."""
    assert (device(IPHONE), device(CHROME)) == ("mobile", "desktop")
