"""How PostgreSQL would run one of our queries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from router.store.database import Database


@dataclass(frozen=True)
class Plan:
    """`indexes`: those searched by a condition. `read_whole`: tables, or indexes, read from end to end."""

    indexes: frozenset[str]
    read_whole: frozenset[str]


async def plan(database: Database, name: str, **values: Any) -> Plan:
    """The plan that stays in use for all values, as a statement prepared once and run often has."""
    query = database._named[name]
    async with database._pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        found = await connection.fetchval(
            f"EXPLAIN (FORMAT JSON) {query.sql}", *query.arguments(values)
        )
    text = found if isinstance(found, list) else json.loads(found)
    indexes, whole = set(), set()
    for node in _nodes(text[0]["Plan"]):
        kind = node["Node Type"]
        if kind == "Seq Scan":
            whole.add(node["Relation Name"])
        elif kind in {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}:
            (indexes if "Index Cond" in node else whole).add(node["Index Name"])
    return Plan(frozenset(indexes), frozenset(whole))


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
