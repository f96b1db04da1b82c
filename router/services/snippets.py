"""Snippets that were served under an address of their own: they stay as they were."""

from __future__ import annotations

from datetime import datetime

from router.store import snippets as store
from router.store.database import Database, deadline


class Snippets:
    """Every version that any router of this installation ever served."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, version: str, body: bytes, now: datetime) -> None:
        """Serve it for ever. Raises StoreUnavailable."""
        await deadline(
            store.remember(self._database, version, body, now), 1.0, what="snippet versions"
        )

    async def body(self, version: str) -> bytes | None:
        """None for a version that nobody knows. Raises StoreUnavailable."""
        return await deadline(store.body(self._database, version), 1.0, what="snippet versions")
