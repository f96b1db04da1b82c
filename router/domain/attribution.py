"""Landing URL and referrer → touch: where a visitor came from.

In this order: utm tags, an advertisement's click id, a search engine as referrer (organic), another
site as referrer (referral), nothing (direct). What a visitor can write is cleaned here, once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote_plus, urlsplit

from router.domain.model import Touch

VALUE_LENGTH = 255
URL_LENGTH = 2048

DIRECT = Touch(source="(direct)", medium="(none)", click_ids=MappingProxyType({}))
NOT_SET = "(not set)"

# A click id → the source and medium it proves where no utm tag says better. None: kept, proves nothing.
CLICK_IDS: Mapping[str, tuple[str, str] | None] = MappingProxyType(
    {
        "gclid": ("google", "cpc"),
        "gbraid": ("google", "cpc"),
        "wbraid": ("google", "cpc"),
        "dclid": ("google", "display"),
        "msclkid": ("bing", "cpc"),
        "yclid": ("yandex", "cpc"),
        "ttclid": ("tiktok", "cpc"),
        "twclid": ("twitter", "cpc"),
        "li_fat_id": ("linkedin", "cpc"),
        "rb_clickid": ("vk", "cpc"),
        "sccid": ("snapchat", "cpc"),
        "rdt_cid": ("reddit", "cpc"),
        "obclid": ("outbrain", "native"),
        "tblci": ("taboola", "native"),
        "ymclid": ("yandex_market", "shopping"),
        "irclickid": ("impact", "affiliate"),
        "cjevent": ("cj", "affiliate"),
        "awc": ("awin", "affiliate"),
        "admitad_uid": ("admitad", "affiliate"),
        "mc_cid": ("mailchimp", "email"),
        "mc_eid": ("mailchimp", "email"),
        "_hsenc": ("hubspot", "email"),
        "mkt_tok": ("marketo", "email"),
        "srsltid": ("google", "shopping"),
        "ysclid": ("yandex", "organic"),
        "epik": ("pinterest", "social"),
        "fbclid": ("facebook", "social"),
        "_openstat": None,
        "_ym_uid": None,
        "_ga": None,
        "_gl": None,
    }
)

# What analytics know a visitor by: kept with the click ids, and no sign of an advertisement.
CLIENT_IDS = frozenset(("_ym_uid", "_ga", "_ga_session", "_gl"))

_UTM = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "campaign",
    "utm_term": "term",
    "utm_content": "content",
}

# Host names under which search results are shown; mail.google.com or music.yandex.ru are none of them.
_SEARCH_ENGINES = re.compile(
    r"(?:www\.|m\.)?(?:"
    r"(?P<google>google(?:\.com?)?\.[a-z]{2,3}|com\.google\.android\.googlequicksearchbox)"
    r"|(?P<yandex>yandex\.(?:[a-z]{2,3}|com\.tr)|ya\.ru|ru\.yandex\.searchplugin)"
    r"|(?P<bing>(?:[a-z]{2}\.)?bing\.com)"
    r"|(?P<duckduckgo>(?:html\.)?duckduckgo\.com)"
    r"|(?P<yahoo>(?:[a-z]{2}\.)?search\.yahoo\.(?:com|co\.jp))"
    r"|(?P<mail>go\.mail\.ru)"
    r"|(?P<rambler>(?:nova\.|search\.)?rambler\.ru)"
    r"|(?P<baidu>baidu\.com)"
    r"|(?P<ecosia>ecosia\.org)"
    r"|(?P<brave>search\.brave\.com)"
    r"|(?P<startpage>startpage\.com)"
    r"|(?P<qwant>qwant\.com)"
    r"|(?P<seznam>search\.seznam\.cz)"
    r"|(?P<naver>search\.naver\.com)"
    r"|(?P<sogou>sogou\.com)"
    r")"
)

# Control characters, line separators, marks that turn the direction of text (they make a report read
# otherwise than it is), the byte order mark, and halves of surrogate pairs, which no UTF-8 can hold.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


# What nearly every URL looks like; what does not is taken apart with more care.
_PLAIN_URL = re.compile(
    r"https?://(?:www\.)?((?!www\.)[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?)(?::[0-9]{1,5})?(?:[/?#]|\Z)"
)


def clean(text: str, length: int = VALUE_LENGTH) -> str:
    """Text a visitor wrote → no control characters, NFC, trimmed, at most `length` characters."""
    text = text[: 4 * length]
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", _FORBIDDEN.sub("", text))
    return text.strip()[:length].rstrip()


def touch(url: str, referrer: str, own_hosts: Collection[str] = ()) -> Touch:
    """Where a visit came from. Never raises, whatever the strings are.

    `own_hosts` are the site's host names besides that of `url`; a referrer among them is direct.
    """
    tags, click_ids = _parameters(url)
    if "source" in tags or "medium" in tags or "campaign" in tags:
        fallback = _by_click_id(click_ids) or (NOT_SET, NOT_SET)
        return Touch(
            source=tags.get("source") or fallback[0],
            medium=tags.get("medium") or fallback[1],
            campaign=tags.get("campaign", ""),
            term=tags.get("term", ""),
            content=tags.get("content", ""),
            click_ids=click_ids,
        )
    origin = _by_click_id(click_ids) or _by_referrer(host(url), host(referrer), own_hosts)
    if origin is None:
        return Touch(source=DIRECT.source, medium=DIRECT.medium, click_ids=click_ids)
    return Touch(source=origin[0], medium=origin[1], click_ids=click_ids)


def host(url: str) -> str:
    """The host name of a URL, lower-case, without ``www.``; empty where there is none."""
    if plain := _PLAIN_URL.match(url):
        return plain[1]
    try:
        name = urlsplit(url[:URL_LENGTH]).hostname
    except ValueError:
        return ""
    return clean(name or "").removeprefix("www.").rstrip(".")


def _parameters(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """The utm tags by field, and the click ids; of a parameter given twice, the first that says
    something. Only what is known is decoded: a URL may carry thousands of others."""
    tags: dict[str, str] = {}
    click_ids: dict[str, str] = {}
    query = url.partition("#")[0].partition("?")[2]
    for parameter in query.split("&") if query else ():
        name, _, value = parameter.partition("=")
        name = (unquote_plus(name) if "%" in name else name).lower()
        if (field := _UTM.get(name)) is not None:
            if field not in tags and (cleaned := clean(unquote_plus(value))):
                tags[field] = cleaned
        elif (
            name in CLICK_IDS and name not in click_ids and (cleaned := clean(unquote_plus(value)))
        ):
            click_ids[name] = cleaned
    return tags, click_ids


def _by_click_id(click_ids: Mapping[str, str]) -> tuple[str, str] | None:
    """An advertisement's click id before one that a mere link carries: `CLICK_IDS` is in that order."""
    if click_ids:
        for name, origin in CLICK_IDS.items():
            if origin is not None and name in click_ids:
                return origin
    return None


def _by_referrer(
    landing: str, referring: str, own_hosts: Collection[str]
) -> tuple[str, str] | None:
    if not referring or (landing and _same_site(referring, landing)) or referring in own_hosts:
        return None
    engine = search_engine(referring)
    return (engine, "organic") if engine else (referring, "referral")


def _same_site(one: str, other: str) -> bool:
    """The same host, or one of them a part of the other: shop.example.com and example.com."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


@lru_cache(maxsize=4096)
def search_engine(name: str) -> str | None:
    """The search engine that shows its results under this host name, if one does."""
    found = _SEARCH_ENGINES.fullmatch(name)
    return found.lastgroup if found else None
