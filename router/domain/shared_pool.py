"""When a site gets numbers of the organisation's shared pool, and when it gives them back."""

from __future__ import annotations

from router.domain.model import Pool


def may_grow(pool: Pool) -> bool:
    """Whether the pool may be given numbers of the shared pool: `mango` always, others where it is set."""
    return pool.kind == "dynamic" and (pool.policy == "mango" or pool.grows)
