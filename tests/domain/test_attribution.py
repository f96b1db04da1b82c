"""Landing URL and referrer → touch."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.domain.attribution import CLICK_IDS, clean, host, search_engine, touch
from router.domain.model import Touch

PAGE = "https://shop.example/"


def origin(url: str, referrer: str = "", own_hosts: tuple[str, ...] = ()) -> tuple[str, str]:
    found = touch(url, referrer, own_hosts)
    return (found.source, found.medium)


def test_utm_tags_are_read() -> None:
    """They say more than the referrer does."""
    url = (
        f"{PAGE}?utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_term=a+b&utm_content=top"
        "&gclid=EAIaI&color=red#utm_source=none"
    )

    assert touch(url, "https://www.bing.com/") == Touch(
        source="google",
        medium="cpc",
        campaign="spring",
        term="a b",
        content="top",
        click_ids={"gclid": "EAIaI"},
    )


def test_utm_names_in_any_case_and_encoding_and_the_first_of_two() -> None:
    """Tags are typed by people and rewritten by redirects."""
    url = f"{PAGE}?UTM_Source=&utm%5Fsource=vk&utm_source=second&Utm_Medium=cpm"

    assert origin(url) == ("vk", "cpm")


@pytest.mark.parametrize(
    ("parameter", "expected"), [(k, v) for k, v in CLICK_IDS.items() if v is not None]
)
def test_a_click_id_without_tags(parameter: str, expected: tuple[str, str]) -> None:
    """Automatic tagging says which network it was, whatever the referrer."""
    assert origin(f"{PAGE}?{parameter}=abc", "https://other.example/") == expected


def test_a_click_id_that_proves_nothing_is_kept() -> None:
    """Yandex.Metrica's visitor id is needed to report the call back."""
    found = touch(f"{PAGE}?_ym_uid=16000", "https://ya.ru/")

    assert (found.source, found.medium) == ("yandex", "organic")
    assert found.click_ids == {"_ym_uid": "16000"}


def test_an_advertisement_is_stronger_than_a_link() -> None:
    """Facebook marks every link, Google only advertisements."""
    assert origin(f"{PAGE}?fbclid=1&gclid=2") == ("google", "cpc")


def test_half_of_the_tags_is_completed_by_the_click_id() -> None:
    """What nobody said is marked as not set, not guessed."""
    assert origin(f"{PAGE}?utm_campaign=spring&yclid=1") == ("yandex", "cpc")
    assert origin(f"{PAGE}?utm_campaign=spring") == ("(not set)", "(not set)")
    assert origin(f"{PAGE}?utm_source=flyer") == ("flyer", "(not set)")


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("https://www.google.com/", ("google", "organic")),
        ("https://www.google.co.uk/search?q=pumps", ("google", "organic")),
        ("android-app://com.google.android.googlequicksearchbox/", ("google", "organic")),
        ("https://yandex.ru/search/?text=x", ("yandex", "organic")),
        ("https://ya.ru/", ("yandex", "organic")),
        ("https://www.bing.com/", ("bing", "organic")),
        ("https://duckduckgo.com/", ("duckduckgo", "organic")),
        ("https://go.mail.ru/search", ("mail", "organic")),
        ("https://mail.google.com/", ("mail.google.com", "referral")),
        ("https://google.com.evil.example/", ("google.com.evil.example", "referral")),
        ("https://www.Blog.Example/post", ("blog.example", "referral")),
        ("", ("(direct)", "(none)")),
        ("about:blank", ("(direct)", "(none)")),
        ("https://[not-an-address/", ("(direct)", "(none)")),
    ],
)
def test_the_referrer(referrer: str, expected: tuple[str, str]) -> None:
    """A search engine's results are organic, another site is a referral."""
    assert origin(PAGE, referrer) == expected


@pytest.mark.parametrize(
    "referrer",
    ["https://shop.example/cart", "https://www.shop.example/", "https://blog.shop.example/"],
)
def test_the_sites_own_pages_are_no_source(referrer: str) -> None:
    """A second page of the same visit."""
    assert origin(PAGE, referrer) == ("(direct)", "(none)")


def test_other_hosts_of_the_site_are_no_source() -> None:
    """A shop whose checkout has a name of its own."""
    assert origin(PAGE, "https://pay.other.example/", ("pay.other.example",)) == (
        "(direct)",
        "(none)",
    )


def test_cyrillic_and_emoji_arrive_readable() -> None:
    """Percent-encoded or as they are."""
    tag = "Весна 🌷 распродажа"

    assert touch(f"{PAGE}?utm_source=vk&utm_campaign={quote(tag)}", "").campaign == tag
    assert touch(f"{PAGE}?utm_source=vk&utm_campaign={tag}", "").campaign == tag


def test_nothing_can_be_injected() -> None:
    """Line ends, NUL and direction marks are removed, quotes are only characters."""
    url = (
        f"{PAGE}?utm_source=a%0d%0aSet-Cookie:x%00&utm_campaign=%22%27%3b%E2%80%AEevil&utm_medium=m"
    )

    assert touch(url, "").source == "aSet-Cookie:x"
    assert touch(url, "").campaign == "\"';evil"


def test_a_nine_kilobyte_value_is_cut() -> None:
    """The tags after it are read none the less."""
    found = touch(f"{PAGE}?utm_source={'я' * 9000}&utm_medium={quote('я' * 1500)}&gclid=1", "")

    assert (found.source, found.medium) == ("я" * 255, "я" * 255)
    assert found.click_ids == {"gclid": "1"}


def test_malformed_encoding() -> None:
    """Invalid UTF-8 becomes the replacement character; a lone percent sign stays."""
    assert touch(f"{PAGE}?utm_source=%D0%FF&utm_medium=100%&utm_term=%zz", "").term == "%zz"
    assert touch(f"{PAGE}?utm_source=%D0%FF&utm_medium=100%", "") == Touch(
        source="\ufffd\ufffd", medium="100%"
    )


texts = st.text(alphabet=st.characters(), max_size=400) | st.text(
    alphabet="%=&?#/:[]@utm_source gclid\r\n\0\ud800é\u0301", max_size=80
)


@given(text=texts)
@example(text=" \u0301" * 300)
@example(text="\ufb2c" * 300)
def test_what_is_clean(text: str) -> None:
    """Valid UTF-8 in NFC, trimmed, without control characters, no longer than 255; clean stays clean."""
    cleaned = clean(text)
    categories = {unicodedata.category(c) for c in cleaned}

    assert len(cleaned) <= 255
    assert cleaned.encode() == unicodedata.normalize("NFC", cleaned).encode()
    assert categories.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert cleaned == cleaned.strip() == clean(cleaned)


@given(url=texts, referrer=texts, parameter=st.sampled_from(["utm_source", "gclid"]), value=texts)
def test_no_visitor_can_make_it_fail(url: str, referrer: str, parameter: str, value: str) -> None:
    """Whatever the strings are, there is a touch, and each of its values is clean."""
    found = touch(f"{url}?{parameter}={value}", referrer, ("shop.example",))
    values = [found.source, found.medium, found.campaign, found.term, found.content]

    assert found.source
    assert found.medium
    assert [clean(v) for v in values] == values
    assert all(clean(v) == v for v in found.click_ids.values())


@given(value=st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=200))
def test_a_tag_survives_the_way(value: str) -> None:
    """Letters and digits of any script arrive as they were written, in NFC."""
    found = touch(f"{PAGE}?utm_source={quote(value)}", "")

    assert found.source == unicodedata.normalize("NFC", value)[:255]


@given(name=texts)
def test_a_host_is_never_an_error(name: str) -> None:
    """Nor is a host that looks like a search engine's."""
    assert search_engine(host(f"https://{name}")) in {None, "google", "yandex", "bing", "mail"}
