"""What a User-Agent header tells: a crawler or not, a mobile device or not."""

from __future__ import annotations

from functools import lru_cache

from crawleruseragents import is_crawler

from router.domain.model import Device

# Longer ones are no browser's; the patterns are not run on what somebody sends to keep us busy.
_LONGEST = 1024


@lru_cache(maxsize=16384)
def is_bot(user_agent: str) -> bool:
    """True for crawlers, tools, and whoever says nothing: none of them will call."""
    if not user_agent.strip() or len(user_agent) > _LONGEST:
        return True
    return bool(is_crawler(user_agent))


def device(user_agent: str) -> Device:
    """A telephone or tablet is mobile: there a number is tapped, not typed."""
    if "Mobi" in user_agent or "Android" in user_agent or "iPad" in user_agent:
        return "mobile"
    return "desktop"
