"""Being told by PostgreSQL that something was changed, by whichever process (LISTEN)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from router.store.database import deadline, translated

CONNECT_SECONDS = 5.0
ASK_SECONDS = 2.0


class Listener:
    """One connection that is told."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection

    async def ask(self) -> None:
        """Raises StoreUnavailable when nothing would be heard any more."""
        with translated():
            await deadline(self._connection.execute("SELECT 1"), ASK_SECONDS, what="listening")


@asynccontextmanager
async def listening(
    dsn: str, channel: str, told: Callable[[], None], ended: Callable[[], None]
) -> AsyncIterator[Listener]:
    """Call `told` at every notification of `channel`, and `ended` when the connection has ended.

    Raises StoreUnavailable if there is no connection to be had.
    """
    with translated():
        connection = await asyncpg.connect(
            dsn,
            timeout=CONNECT_SECONDS,
            server_settings={"application_name": f"call-router {channel}"},
        )
    try:
        with translated():
            await connection.add_listener(channel, lambda *_: told())
        connection.add_termination_listener(lambda *_: ended())
        yield Listener(connection)
    finally:
        connection.terminate()
