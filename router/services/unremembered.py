"""Visits of which nothing is kept: what their pages show, by what the page says of itself alone."""

from __future__ import annotations

from uuid import uuid4

from router.domain.model import Touch
from router.domain.targeting import pool_for
from router.services.plan import Shown
from router.store.sites import SiteView


def shown(view: SiteView, touch: Touch) -> Shown:
    """The number of the static pool for where the visitor comes from; else a default number. The
    session's key names nothing."""
    targeting = pool_for(touch, tuple(pool for pool in view.pools if pool.id in view.static))
    if targeting.pool is not None:
        return Shown(
            session=uuid4(),
            number=view.static[targeting.pool.id].e164,
            how="static",
            valid_until=None,
            targeting=targeting,
        )
    targeting = pool_for(touch, view.pools)
    default = targeting.pool.default_number if targeting.pool else None
    return Shown(
        session=uuid4(),
        number=default or view.site.default_number,
        how="default",
        valid_until=None,
        targeting=targeting,
    )
