"""Connections, transactions and deadlines; a constraint's name becomes a domain error here.

asyncpg's own time-outs do not return while the server is frozen: they wait for its answer to a cancel.
`deadline` therefore waits outside the task and walks away.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import structlog

from router.domain.errors import FieldError, StoreUnavailable
from router.store import queries
from router.store.kept import Kept

log = structlog.get_logger(__name__)
T = TypeVar("T")

# A constraint's name → which field was refused, and why.
_CONSTRAINTS = {
    "number_once": ("number", "this number is already registered"),
    "number_e164_format": ("number", "not in E.164 form"),
    "site_key_once": ("key", "another site has this key"),
    "site_name_once": ("name", "this organisation has a site of that name already"),
    "site_default_number_format": ("default_number", "not in E.164 form"),
    "pool_name_once": ("name", "this site has a pool of that name already"),
    "pool_reservation_time": ("reservation_seconds", "not between 60 and 604800 (7 days)"),
    "pool_default_number_format": ("default_number", "not in E.164 form"),
    "pool_static_has_source": (
        "source",
        "a static pool needs the source its calls are credited to",
    ),
    "target_name_once": ("name", "this organisation has a target of that name already"),
    "target_e164_format": ("e164", "not in E.164 form"),
    "target_kind_fields": ("kind", "an endpoint has an endpoint; a PSTN number has e164 and trunk"),
    "trunk_name_key": ("name", "a trunk of that name is registered already"),
    "channel_key_once": ("key", "this organisation has a channel of that key already"),
    "default_number_once": ("number", "it is the default number of another channel or source"),
    "organisation_name_key": ("name", "an organisation of that name exists already"),
}


async def _no_reset(_connection: Any) -> None:
    """Nothing of ours leaves state on a connection, and the usual reset costs a round trip."""


async def _prepare_connection(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
        )


async def deadline(work: Awaitable[T], seconds: float, *, what: str) -> T:
    """The result of `work`, or StoreUnavailable after `seconds`, whatever the server does.

    The abandoned task is cancelled; it may take as long as it likes to notice, and its failure is logged.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return task.result()
    task.add_done_callback(lambda finished: _log_abandoned(finished, what))
    task.cancel()
    raise StoreUnavailable(f"{what}: no answer within {seconds:g} s")


def _log_abandoned(task: asyncio.Future[Any], what: str) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("abandoned work failed", what=what, error=repr(error))


class Queries:
    """Named queries on one executor: the pool, or a connection inside a transaction."""

    def __init__(self, executor: Any, named: Any) -> None:
        self._executor = executor
        self._named = named

    async def fetch(self, name: str, /, **values: Any) -> Sequence[asyncpg.Record]:
        query = self._named[name]
        with translated():
            rows: Sequence[asyncpg.Record] = await self._executor.fetch(
                query.sql, *query.arguments(values)
            )
            return rows

    async def fetchrow(self, name: str, /, **values: Any) -> asyncpg.Record | None:
        query = self._named[name]
        with translated():
            row: asyncpg.Record | None = await self._executor.fetchrow(
                query.sql, *query.arguments(values)
            )
            return row

    async def fetchval(self, name: str, /, **values: Any) -> Any:
        query = self._named[name]
        with translated():
            return await self._executor.fetchval(query.sql, *query.arguments(values))

    async def execute(self, name: str, /, **values: Any) -> str:
        query = self._named[name]
        with translated():
            status: str = await self._executor.execute(query.sql, *query.arguments(values))
            return status


class Connected(Queries):
    """Named queries on one connection: each a commit of its own, or several in a `transaction`."""

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """One transaction; rolled back if the block raises."""
        began: AbstractAsyncContextManager[None] = self._executor.transaction()
        return began


class translated:  # noqa: N801 - reads as the context manager it is
    """Errors of the driver → errors of the domain."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, asyncpg.IntegrityConstraintViolationError):
            name = getattr(error, "constraint_name", None) or ""
            if name in _CONSTRAINTS:
                field, problem = _CONSTRAINTS[name]
                raise FieldError(field, problem) from error
        if isinstance(error, _UNAVAILABLE):
            raise StoreUnavailable(f"the database is not available: {error}") from error


_UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    ConnectionError,
    OSError,
)


class Database(Queries):
    """A pool of connections to one PostgreSQL, with our queries."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool, queries.load(queries.sql_folder() / "queries"))
        self._pool = pool
        self._kept = Kept(pool)
        # for one statement after another: `fetch` alone, on connections that are not given back in between
        self.kept = Queries(self._kept, self._named)

    @classmethod
    async def connect(
        cls, dsn: str, *, connections: int = 8, at_least: int = 1, name: str = "call-router"
    ) -> Database:
        """Open a pool of at most `connections`. Raises StoreUnavailable."""
        with translated():
            pool = await asyncpg.create_pool(
                dsn,
                min_size=at_least,
                max_size=connections,
                reset=_no_reset,
                init=_prepare_connection,
                timeout=5,
                server_settings={
                    "application_name": name,
                    "timezone": "UTC",
                    "idle_in_transaction_session_timeout": "10s",
                    "lock_timeout": "5s",
                    # A plan made while a table was nearly empty stays in use while it grows: it has to go
                    # by index from the first row on. And no statement of ours gains by being compiled.
                    "enable_seqscan": "off",
                    "jit": "off",
                },
            )
        return cls(pool)

    async def close(self) -> None:
        """Close politely, but never wait for a server that does not answer."""
        try:
            await asyncio.wait_for(self._closed(), 3)
        except (TimeoutError, OSError, asyncpg.PostgresError):
            self._pool.terminate()

    async def _closed(self) -> None:
        await self._kept.let_go()
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connected]:
        """One connection for several statements."""
        with translated():
            async with self._pool.acquire() as connection:
                yield Connected(connection, self._named)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Queries]:
        """One transaction; rolled back if the block raises."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield Queries(connection, self._named)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[Database]:
        """A database inside one transaction: all that services do with it is committed together at the
        end, or undone together if the block raises. Not for two statements at once."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                yield Joined(connection, self._named)


class Joined(Database):
    """One connection in a transaction, used like a database; a transaction in it is a savepoint."""

    def __init__(self, connection: Any, named: Any) -> None:
        Queries.__init__(self, connection, named)
        self.kept = self

    async def close(self) -> None:
        """Whoever opened the transaction ends it."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connected]:
        yield Connected(self._executor, self._named)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Queries]:
        with translated():
            async with self._executor.transaction():
                yield Queries(self._executor, self._named)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[Database]:
        async with self.transaction():
            yield self
