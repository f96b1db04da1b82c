"""Visits of which nothing is kept: what their pages show, by what the page says of itself alone."""

from __future__ import annotations

from uuid import uuid4

from router.domain.targeting import pool_for
from router.services.landing import Landing
from router.services.plan import Shown
from router.store.sites import SiteView


def shown(view: SiteView, landing: Landing) -> Shown:
    """The number of the static pool for where the visitor comes from; else a default number. The
    session's key names nothing."""
    facts = landing.facts()
    # one without rules is for no channel: for leaflets, or for whoever no other pool serves
    targeting = pool_for(facts, tuple(p for p in view.pools if p.id in view.static and p.rules))
    if targeting.pool is None:
        targeting = pool_for(facts, view.pools)
    if targeting.pool is not None and targeting.pool.id in view.static:
        return Shown(
            session=uuid4(),
            number=view.static[targeting.pool.id].e164,
            how="static",
            valid_until=None,
            targeting=targeting,
        )
    default = targeting.pool.default_number if targeting.pool else None
    return Shown(
        session=uuid4(),
        number=view.default_number(landing.touch, default),
        how="default",
        valid_until=None,
        targeting=targeting,
    )
