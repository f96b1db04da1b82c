"""Medians, percentiles and interleaved rounds.

Only ratios of one run mean anything: the machine is shared and slow moments come and go. So every round
runs each variant once, in random order, and a ratio is the median of the rounds' own ratios.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

# Below this a difference between two variants is not a finding.
NOISE = 0.15


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of one sample, in the sample's unit."""

    count: int
    p50: float
    p95: float
    p99: float


def quantile(ascending: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the sample does not exceed."""
    if not ascending:
        raise ValueError("a quantile of nothing")
    return ascending[min(len(ascending) - 1, max(0, int(share * len(ascending) + 0.999999) - 1))]


def spread(values: Sequence[float]) -> Spread:
    """p50, p95 and p99 of a sample."""
    ascending = sorted(values)
    return Spread(
        count=len(ascending),
        p50=quantile(ascending, 0.5),
        p95=quantile(ascending, 0.95),
        p99=quantile(ascending, 0.99),
    )


def ratio(ours: Sequence[float], baseline: Sequence[float]) -> float:
    """Median of round by round ratios."""
    return statistics.median(a / b for a, b in zip(ours, baseline, strict=True))


def unrest(values: Sequence[float]) -> float:
    """How far a variant's rounds lie apart: half their range over their median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / (2 * middle) if middle else 0.0


async def interleaved(
    variants: Mapping[str, Callable[[], Awaitable[T]]], rounds: int, *, seed: int = 3
) -> dict[str, list[T]]:
    """Run every variant once a round, in an order drawn anew for each; results by variant, by round."""
    order = random.Random(seed)
    results: dict[str, list[T]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name in order.sample(sorted(variants), len(variants)):
            results[name].append(await variants[name]())
    return results
