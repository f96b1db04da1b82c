"""The routes that Asterisk keeps in its own database for when the router is away."""

from __future__ import annotations

from router.domain.model import Target
from router.store.arrivals import target_from
from router.store.database import Queries


async def routes(
    queries: Queries,
) -> list[tuple[list[str], bool, tuple[Target, ...], frozenset[str]]]:
    """Of all numbers in use, by common route: E.164 of each, whether they are recorded, their targets, and
    those of the targets that are our own numbers."""
    found = []
    for row in await queries.fetch("failsafe.routes"):
        targets = row["targets"] or []
        ours = frozenset(target["e164"] for target in targets if target["ours"])
        found.append((row["numbers"], row["record"], tuple(map(target_from, targets)), ours))
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
