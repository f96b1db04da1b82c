"""The benchmark's own PostgreSQL, on a real disk with fsync, and databases filled with a past.

A database holds one company: a site, a dynamic pool of so many numbers, reservations that are over, and,
where asked for, numbers held this moment and one number with many candidates in the last 30 days.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from router.domain.model import Policy
from router.firstrun import users
from router.firstrun.postgres import PostgresServer
from router.store import migrations
from tests.bench import machine, workload
from tests.conftest import free_port

_TEMPLATE = "bench_template"
_SEED = Path(__file__).with_name("seed.sql")
# Loading goes without the indexes that no constraint stands on; they are built afterwards in one go.
_PLAIN_INDEXES = """
    SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    WHERE t.relnamespace = 'public'::regnamespace AND NOT i.indisunique
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)"""


@dataclass(frozen=True, kw_only=True)
class Company:
    """What a database is filled with. `held` numbers, from the second on, have a holder
    for hours to come. `policy` hands out the others."""

    numbers: int
    reservations: int = 0
    held: int = 0
    candidates: int = 0
    hold_seconds: int = 60
    policy: Policy = "longest_idle"


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A server with fsync, and checkpoints far apart: full-page images would drown what is measured."""
    with tempfile.TemporaryDirectory(
        prefix="call-router-bench-", ignore_cleanup_errors=True
    ) as folder:
        run_as = users.service_user()
        if run_as:
            Path(folder).chmod(0o711)
        server = PostgresServer(
            data_dir=Path(folder) / "data",
            port=free_port(),
            password=secrets.token_urlsafe(16),
            run_as=run_as,
            options={
                "fsync": "on",
                "synchronous_commit": "on",
                "shared_buffers": "512MB",
                "max_wal_size": "16GB",
                "checkpoint_timeout": "1h",
                "max_connections": "200",
            },
        )
        server.start()
        try:
            if server.pid:
                machine.pin(server.pid, machine.OTHER_CORES)
            yield server
        finally:
            server.stop()


async def prepare(server: PostgresServer) -> None:
    """Make the migrated template once."""
    await _administer(server, f'CREATE DATABASE "{_TEMPLATE}"')
    await migrations.migrate(server.dsn(_TEMPLATE))


async def create(server: PostgresServer, name: str, company: Company, now: datetime) -> str:
    """A new database holding `company` as of `now`; returns its URL."""
    await _administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}"')
    connection = await asyncpg.connect(server.dsn(name))
    try:
        # Foreign keys are checked row by row, which takes longer than loading the rows.
        await connection.execute("SET session_replication_role = replica")
        indexes = await connection.fetch(_PLAIN_INDEXES)
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["name"]}"')
        for statement in _SEED.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                await connection.execute(_filled(statement, company, now), timeout=3600)
        for index in indexes:
            await connection.execute(index["definition"], timeout=3600)
        await connection.execute("VACUUM (ANALYZE)", timeout=3600)
        await connection.execute("CHECKPOINT", timeout=600)
    finally:
        await connection.close()
    return server.dsn(name)


async def drop(server: PostgresServer, name: str) -> None:
    await _administer(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _filled(statement: str, company: Company, now: datetime) -> str:
    """Utility statements take no parameters, so figures of ours are written in."""
    values = {
        ":now": f"timestamptz '{now.isoformat()}'",
        ":numbers": company.numbers,
        ":reservations": company.reservations,
        ":held": company.held,
        ":candidates": company.candidates,
        ":hold_seconds": company.hold_seconds,
        ":policy": f"'{company.policy}'",
        ":site_key": f"'{workload.SITE}'",
        ":origin": f"'{workload.ORIGIN}'",
        ":token_secret": f"decode('{workload.TOKEN_KEY.secret.hex()}', 'hex')",
        ":trunk": f"'{workload.TRUNK}'",
    }
    for name, value in values.items():
        statement = statement.replace(name, str(value))
    return statement


async def _administer(server: PostgresServer, statement: str) -> None:
    admin = await asyncpg.connect(server.dsn("postgres"))
    try:
        await admin.execute(statement, timeout=600)
    finally:
        await admin.close()


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began
