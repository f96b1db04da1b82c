"""Codes that are split or renumbered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from router.domain.numbering import CodeChange
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class CodeRow:
    """`applied_at`: since when our rows carry the new form."""

    id: int
    change: CodeChange
    applied_at: datetime | None


async def changes(queries: Queries, since: datetime) -> list[CodeRow]:
    """Those whose time was not over at `since`, oldest first."""
    return [
        CodeRow(
            id=row["id"],
            change=CodeChange(
                old=row["old"],
                new=row["new"],
                from_at=row["from_at"],
                until_at=row["until_at"],
            ),
            applied_at=row["applied_at"],
        )
        for row in await queries.fetch("codes.changes", since=since)
    ]


async def add(queries: Queries, change: CodeChange, now: datetime) -> int:
    identity: int = await queries.fetchval(
        "codes.add",
        old=change.old,
        new=change.new,
        from_at=change.from_at,
        until_at=change.until_at,
        now=now,
    )
    return identity


async def cut_short(queries: Queries, change_id: int, until_at: datetime) -> bool:
    """False if it had not begun by then."""
    return await queries.fetchval("codes.cut_short", id=change_id, until_at=until_at) is not None


async def call_off(queries: Queries, change_id: int, now: datetime) -> bool:
    """False if it has begun."""
    return await queries.fetchval("codes.call_off", id=change_id, now=now) is not None


async def numbers(queries: Queries, code: str) -> int:
    """How many numbers begin with a code."""
    count: int = await queries.fetchval("codes.numbers", old=code)
    return count


async def clashes(queries: Queries, change: CodeChange) -> list[str]:
    """Numbers that are rows in both forms."""
    rows = await queries.fetch("codes.clashes", old=change.old, new=change.new)
    return [row["e164"] for row in rows]


async def apply(queries: Queries, row: CodeRow, now: datetime) -> None:
    """Write our numbers, blocks and default numbers in their new form."""
    forms = {"old": row.change.old, "new": row.change.new}
    await queries.execute("codes.rewrite_numbers", **forms)
    await queries.execute("codes.rewrite_blocks", **forms)
    await queries.execute("codes.rewrite_sites", **forms)
    await queries.execute("codes.rewrite_pools", **forms)
    await queries.execute("codes.applied", id=row.id, now=now)
