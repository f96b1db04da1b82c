"""The routes that Asterisk keeps in its own database for when the router is away."""

from __future__ import annotations

from router.domain.model import Target
from router.store.arrivals import target_from
from router.store.database import Queries


async def numbers(
    queries: Queries,
) -> list[tuple[str, bool, tuple[Target, ...], frozenset[str]]]:
    """Of every number in use: E.164, whether it is recorded, its targets, those that are our own numbers."""
    found = []
    for row in await queries.fetch("failsafe.numbers"):
        targets = row["targets"] or []
        ours = frozenset(target["e164"] for target in targets if target["ours"])
        found.append((row["e164"], row["record"], tuple(map(target_from, targets)), ours))
    return found


async def trunks(queries: Queries) -> list[tuple[str, Target, frozenset[str]]]:
    """Of every trunk that has a line of its own: name, target, the target's number if it is our own."""
    return [
        (
            row["name"],
            target_from(row["target"]),
            frozenset({row["target"]["e164"]} if row["target"]["ours"] else ()),
        )
        for row in await queries.fetch("failsafe.trunks")
    ]
