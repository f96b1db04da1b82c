"""Visits of which nothing is kept: what their pages show, by what the page says of itself alone."""

from __future__ import annotations

from uuid import uuid4

from router.domain.targeting import pool_for
from router.services.plan import Landing, Shown
from router.store.sites import SiteView


def shown(view: SiteView, landing: Landing) -> Shown:
    """The number of the static pool for where the visitor comes from; else a default number. The
    session's key names nothing."""
    facts = landing.facts()
    targeting = pool_for(facts, tuple(pool for pool in view.pools if pool.id in view.static))
    if targeting.pool is not None:
        return Shown(
            session=uuid4(),
            number=view.static[targeting.pool.id].e164,
            how="static",
            valid_until=None,
            targeting=targeting,
        )
    targeting = pool_for(facts, view.pools)
    default = targeting.pool.default_number if targeting.pool else None
    return Shown(
        session=uuid4(),
        number=view.default_number(landing.touch, default),
        how="default",
        valid_until=None,
        targeting=targeting,
    )
