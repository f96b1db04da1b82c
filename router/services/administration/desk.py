"""What every part of the administration begins with: one change at a time, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from router.domain.errors import StillNeeded
from router.domain.rules import written
from router.services.work import By, Work, organisation_called
from router.store import administration as store
from router.store.database import Database
from router.store.editing import Holding

UNSAVED = 0  # the id of a value that has no row yet


class Desk:
    """Where an administrator's change is made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def _work(self, by: By) -> AsyncIterator[Work]:
        """One change: committed with its audit entry at the end, or not at all."""
        async with self._database.transaction() as queries:
            await store.lock(queries)
            organisation = await organisation_called(queries, by.organisation)
            yield Work(queries=queries, organisation_id=organisation.id, by=by)


def difference(before: Any, after: Any) -> Mapping[str, Any]:
    """What an edit changed, of two dataclasses of one kind: ``{"name": "new", "was": {"name": "old"}}``;
    empty when they are equal."""
    old, new = _said(before), _said(after)
    changed = [field for field in old if old[field] != new[field]]
    if not changed:
        return {}
    return {
        **{field: new[field] for field in changed},
        "was": {field: old[field] for field in changed},
    }


def _said(value: Any) -> dict[str, Any]:
    """Its fields; rules as people write them."""
    said = asdict(value)
    if "rules" in said:
        said["rules"] = [written(rule) for rule in value.rules]
    return said


def let_go(field: str, name: str, held_by: Sequence[Holding]) -> None:
    """Raises StillNeeded unless nothing holds the thing of that name."""
    if held_by:
        needs = "; ".join(f"{row.n} {row.what} (for example {row.example})" for row in held_by)
        raise StillNeeded(field, f"{name!r} is still needed by {needs}")
