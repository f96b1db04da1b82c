"""A pool grows by one number of the organisation's shared pool."""

from __future__ import annotations

from datetime import datetime

import structlog

from router.domain.model import Pool
from router.domain.noise import ROUTER
from router.store import shared_pool
from router.store.database import Queries
from router.store.shared_pool import Grown

log = structlog.get_logger(__name__)


async def grow(
    queries: Queries,
    pool: Pool,
    now: datetime,
    *,
    why: str = "no number of the pool was to be had",
) -> Grown | None:
    """One number for `pool`, or None where the shared pool holds none that fits its region.

    One statement and one commit, on the database itself or inside a transaction. The number is in the pool
    and free from then on; no two pools are ever given the same one, whoever asks at the same time. Whether
    the pool may grow now is the caller's decision: see domain/shared_pool.may_grow. Raises StoreUnavailable.
    """
    grown = await shared_pool.grow(queries, pool.id, now, actor=ROUTER, why=why)
    if grown is None:
        # said at every visit that finds no number: not worth a line each
        log.debug("shared pool is empty", pool=pool.name, region=pool.region)
    else:
        log.info("pool grew", pool=pool.name, number=grown.e164, why=why)
    return grown
