"""Which pool serves a visit: the first, by priority, all of whose rules hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from router.domain.model import Pool, Rule, Touch


@dataclass(frozen=True, kw_only=True, slots=True)
class Targeting:
    """`pool` serves the visit, or none does. `refused`: the pools asked before it, each with the rule
    that did not hold."""

    pool: Pool | None
    refused: tuple[tuple[Pool, Rule], ...] = ()

    @property
    def words(self) -> str:
        """The reason, as an administrator reads it."""
        passed = [
            f"{pool.name}: {rule.field} is not {rule.equals!r}" for pool, rule in self.refused
        ]
        if self.pool is None:
            return "; ".join([*passed, "no pool serves this visit"])
        rules = " and ".join(f"{rule.field} is {rule.equals!r}" for rule in self.pool.rules)
        return "; ".join([*passed, f"{self.pool.name}: {rules or 'it serves every visit'}"])


def in_order(pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """As they are asked: smallest priority first; of equal ones the oldest."""
    return tuple(sorted(pools, key=lambda pool: (pool.priority, pool.id)))


def pool_for(touch: Touch, pools: Sequence[Pool]) -> Targeting:
    """The first of `pools` (which are `in_order`) all of whose rules hold for `touch`."""
    refused: list[tuple[Pool, Rule]] = []
    for pool in pools:
        broken = _broken_rule(pool, touch)
        if broken is None:
            return Targeting(pool=pool, refused=tuple(refused))
        refused.append((pool, broken))
    return Targeting(pool=None, refused=tuple(refused))


def _broken_rule(pool: Pool, touch: Touch) -> Rule | None:
    for rule in pool.rules:
        value: str = getattr(touch, rule.field)
        if value.casefold() != rule.equals.casefold():
            return rule
    return None
