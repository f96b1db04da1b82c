"""By what a score tells sources and campaigns apart."""

from __future__ import annotations

from router.domain.allocation.binding import Combination
from router.domain.allocation.values import CampaignKey
from router.domain.model import Touch

# stands in nothing that a visitor can write: what he writes is cleaned of control characters
_BETWEEN = "\x1f"


def campaign_key(touch: Touch) -> CampaignKey:
    """(source, campaign): equal names in two sources are two campaigns."""
    *source, campaign = touch.campaign_key
    return _BETWEEN.join(source), campaign


def as_text(key: CampaignKey | Combination) -> str:
    """A campaign's key, or a combination of parameters, as one word for an index."""
    return _BETWEEN.join(key)
