"""Channels: what a visit is, by click ids, tags and referrer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain import attribution
from router.domain.channels import (
    KEY,
    READY_MADE_FIELDS,
    Channel,
    channel_of,
    name_of,
    own_rule,
    ready_made,
    with_channel,
)
from router.domain.errors import FieldError
from router.domain.model import Touch
from router.domain.rules import Facts, parse
from router.domain.rules.tree import fields_of

PAGE = "https://shop.example/"


def channel(url: str, referrer: str = "") -> str:
    touch = attribution.touch(url, referrer)
    return channel_of(Facts(touch=touch, url=url, referrer=referrer)).channel.key


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gclid=1", "google_ads"),
        ("gbraid=1", "google_ads"),
        ("wbraid=1", "google_ads"),
        ("utm_source=newsletter&utm_medium=cpc&gclid=1", "google_ads"),
        ("utm_source=google&utm_medium=CPC", "google_ads"),
        ("utm_source=google&utm_medium=paid_search", "google_ads"),
        ("dclid=1", "google_display"),
        ("yclid=1", "yandex_direct"),
        ("utm_source=yandex&utm_medium=cpc", "yandex_direct"),
        ("utm_source=Yandex.Direct", "yandex_direct"),
        ("msclkid=1", "microsoft_ads"),
        ("ttclid=1", "tiktok_ads"),
        ("li_fat_id=1", "linkedin_ads"),
        ("twclid=1", "x_ads"),
        ("rb_clickid=1", "vk_ads"),
        ("utm_source=vk&utm_medium=cpm", "vk_ads"),
        ("utm_source=vk&utm_medium=post", "vk"),
        ("ScCid=1", "snapchat_ads"),
        ("fbclid=1", "facebook"),
        ("utm_source=ig&utm_medium=paid_social&fbclid=1", "meta_ads"),
        ("utm_source=fb&utm_medium=cpc", "meta_ads"),
        ("utm_source=instagram&utm_medium=social", "instagram"),
        ("srsltid=1", "google_shopping"),
        ("ymclid=1", "yandex_market"),
        ("utm_source=avito", "marketplaces"),
        ("admitad_uid=1", "affiliates"),
        ("utm_source=blog&utm_medium=affiliate", "affiliates"),
        ("mc_cid=1", "email"),
        ("utm_source=crm&utm_medium=email", "email"),
        ("utm_source=crm&utm_medium=sms", "sms"),
        ("utm_source=telegram", "telegram"),
        ("utm_source=chatgpt.com", "chatgpt"),
        ("utm_source=google&utm_medium=maps", "google_maps"),
        ("utm_source=gmb&utm_medium=organic", "google_maps"),
        ("utm_source=2gis", "twogis"),
        ("utm_source=maps&utm_medium=listing", "maps"),
        ("utm_source=newspaper&utm_medium=print", "offline"),
        ("utm_source=gazette&utm_medium=billboard", "offline"),
        ("utm_source=site&utm_medium=banner", "display"),
        ("utm_source=somebody&utm_medium=cpc", "other_ads"),
        ("utm_source=somebody", "other"),
        ("utm_campaign=spring", "other"),
        ("_ga=2.1.2.3", "direct"),
        ("", "direct"),
    ],
)
def test_by_tags_and_click_ids(query: str, expected: str) -> None:
    """An advertisement's click id before tags, tags before the referrer."""
    assert channel(f"{PAGE}?{query}") == expected


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("https://www.google.com/", "google_organic"),
        ("https://yandex.ru/search/", "yandex_organic"),
        ("https://www.bing.com/", "bing_organic"),
        ("https://www.ecosia.org/", "organic"),
        ("https://l.facebook.com/", "facebook"),
        ("https://m.vk.com/", "vk"),
        ("https://t.co/abc", "x"),
        ("https://www.youtube.com/", "youtube"),
        ("https://web.telegram.org/", "telegram"),
        ("https://mail.google.com/", "email"),
        ("https://e.mail.ru/", "email"),
        ("https://chatgpt.com/", "chatgpt"),
        ("https://chat.openai.com/", "chatgpt"),
        ("https://www.perplexity.ai/", "perplexity"),
        ("https://gemini.google.com/", "gemini"),
        ("https://claude.ai/", "claude"),
        ("https://copilot.microsoft.com/", "copilot"),
        ("https://2gis.ru/moscow", "twogis"),
        ("https://market.yandex.ru/", "yandex_market"),
        ("https://notfacebook.com/", "referral"),
        ("https://facebook.com.evil.example/", "referral"),
        ("https://blog.example/", "referral"),
        ("https://shop.example/cart", "direct"),
    ],
)
def test_by_referrer(referrer: str, expected: str) -> None:
    """A part of a domain counts as it, a name that only looks alike does not."""
    assert channel(PAGE, referrer) == expected


def test_the_file_is_in_order() -> None:
    """Keys are unique and well-formed, and rules ask only for what is looked up by."""
    keys = [one.key for one in ready_made()]

    assert len(set(keys)) == len(keys)
    assert all(KEY.fullmatch(key) for key in keys)
    for one in ready_made():
        assert one.name
        assert one.group
        assert all(fields_of(rule) <= READY_MADE_FIELDS for rule in one.rules), one.key


def test_no_ready_made_channel_is_out_of_reach() -> None:
    """Each one is given to some visit: none stands behind another that takes all of its own."""
    found = set()
    for one in ready_made():
        for rule in one.rules:
            parts = getattr(rule, "parts", (rule,))
            values = {part.field: part.values[0] if part.values else "somebody" for part in parts}
            click_id = values.get("click_id")
            medium = values.get("medium", "somebody").replace("*", "")
            touch = Touch(
                source=values.get("source", "somebody"),
                medium=medium,
                click_ids={click_id: "1"} if click_id else {},
            )
            found.add(with_channel(touch).channel)

    assert {one.key for one in ready_made()} == found


def test_an_own_channel_comes_first() -> None:
    """And may ask for more than the ready-made ones do."""
    own = Channel(key="radio", name="Radio", group="own", rules=(parse("path^=/radio"),))
    touch = attribution.touch(f"{PAGE}radio?gclid=1", "")
    there = channel_of(Facts(touch=touch, url=f"{PAGE}radio?gclid=1"), (own,))
    elsewhere = channel_of(Facts(touch=touch, url=PAGE), (own,))

    assert (there.channel, there.rule) == (own, own.rules[0])
    assert elsewhere.channel.key == "google_ads"


def test_what_an_own_channel_cannot_ask() -> None:
    """Its own answer, and what is not known yet."""
    assert own_rule(parse("source=radio and region=RU")) == parse("source=radio and region=RU")
    with pytest.raises(FieldError, match="cannot ask for the channel"):
        own_rule(parse("not channel=direct"))
    with pytest.raises(FieldError, match="cannot ask for the visit"):
        own_rule(parse("source=a or visit=1"))


def test_names() -> None:
    """Of what is not ready-made the key stands for itself."""
    assert name_of("google_ads") == "Google Ads"
    assert name_of("radio") == "radio"


@given(source=st.text(), medium=st.text(), name=st.text())
def test_every_visit_has_a_channel(source: str, medium: str, name: str) -> None:
    """Whatever stands in its tags."""
    touch = Touch(source=source or "somebody", medium=medium, click_ids={name: "1"})

    assert channel_of(Facts(touch=touch)).channel in ready_made()
