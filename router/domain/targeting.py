"""Which pool serves a visit: the first, by priority, all of whose rules hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from router.domain.model import Pool
from router.domain.rules import Facts, holds, why_not, words


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A pool that was asked and does not serve the visit, and why: the first rule that does not hold."""

    pool: Pool
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Targeting:
    """`pool` serves the visit, or none does. Why is worked out when somebody asks."""

    pool: Pool | None
    visit: Facts
    pools: Sequence[Pool]

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The pools asked before it."""
        return tuple(
            Refusal(
                pool=pool,
                words=next(reason for rule in pool.rules if (reason := why_not(rule, self.visit))),
            )
            for pool in self.pools[: self._place]
        )

    @property
    def unasked(self) -> tuple[Pool, ...]:
        """Those after it, which a smaller priority would have put before it."""
        return tuple(self.pools[self._place + 1 :])

    @property
    def words(self) -> str:
        """The reason, as an administrator reads it."""
        said = [f"{refusal.pool.name}: {refusal.words}" for refusal in self.refused]
        chosen = "no pool serves this visit"
        if self.pool is not None:
            chosen = f"{self.pool.name}: {rules_in_words(self.pool)}"
        return "; ".join([*said, chosen])

    @property
    def _place(self) -> int:
        return len(self.pools) if self.pool is None else self.pools.index(self.pool)


def rules_in_words(pool: Pool) -> str:
    """Whom a pool serves."""
    return " and ".join(words(rule) for rule in pool.rules) or "it serves every visit"


def in_order(pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """As they are asked: smallest priority first; of equal ones the oldest."""
    return tuple(sorted(pools, key=lambda pool: (pool.priority, pool.id)))


def pool_for(visit: Facts, pools: Sequence[Pool]) -> Targeting:
    """The first of `pools` (which are `in_order`) all of whose rules hold."""
    for pool in pools:
        if not pool.rules or all(holds(rule, visit) for rule in pool.rules):
            return Targeting(pool=pool, visit=visit, pools=pools)
    return Targeting(pool=None, visit=visit, pools=pools)
