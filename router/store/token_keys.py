"""The keys of reservation tokens."""

from __future__ import annotations

from router.domain.reservation_tokens import TokenKey, TokenKeys
from router.store.database import Queries


async def load(queries: Queries) -> TokenKeys:
    """Those that are in use now."""
    rows = await queries.fetch("token_keys.newest")
    return TokenKeys([TokenKey(secret=row["secret"], made_at=row["made_at"]) for row in rows])
