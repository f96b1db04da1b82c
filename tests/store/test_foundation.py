"""Queries, migrations and the database wrapper, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import re

import pytest

from router.domain.errors import FieldError, StoreUnavailable
from router.firstrun.postgres import PostgresServer
from router.store import migrations, queries
from router.store.database import Database, deadline
from tests.conftest import create_database
from tests.store import schema


async def test_migrations_are_applied_once(postgres_server: PostgresServer) -> None:
    """Two at once both succeed; the second finds nothing to do."""
    dsn = await create_database(postgres_server, "migrated_twice")
    applied = await asyncio.gather(migrations.migrate(dsn), migrations.migrate(dsn))

    assert sorted(applied, key=len) == [[], migrations.known_versions()]
    await migrations.check(dsn)


async def test_a_database_without_our_schema_is_refused(postgres_server: PostgresServer) -> None:
    """The refusal names the command that mends it."""
    with pytest.raises(migrations.WrongSchema, match="call-router migrate"):
        await migrations.check(postgres_server.dsn("postgres"))


def test_migration_names() -> None:
    """Plain, no number twice, a verb and an object."""
    names = sorted(p.name for p in (queries.sql_folder() / "migrations").glob("*"))

    assert len({n.split("_")[0] for n in names}) == len(names)
    assert all(re.fullmatch(r"\d{4}_[a-z]+(_[a-z]+)+\.sql", name) for name in names)


async def test_every_query_prepares(database: Database) -> None:
    """Each named query is valid against the schema and takes as many parameters as its header says."""
    async with database._pool.acquire() as connection:
        for query in database._named.values():
            statement = await connection.prepare(query.sql)
            taken = len(statement.get_parameters())

            assert taken == len(query.parameters), query.name


async def test_every_query_is_used() -> None:
    """A query nobody calls is deleted."""
    package = queries.sql_folder().parent / "router"
    text = "\n".join(path.read_text() for path in package.rglob("*.py"))
    unused = [
        name for name in queries.load(queries.sql_folder() / "queries") if f'"{name}"' not in text
    ]

    assert unused == []


async def test_deadline_walks_away() -> None:
    """The caller has its answer on time although the work cannot be cancelled."""

    async def stubborn() -> None:
        try:
            await asyncio.sleep(0.5)
        except asyncio.CancelledError:
            await asyncio.sleep(0.5)

    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(StoreUnavailable, match=r"look-up: no answer within 0\.05 s"):
        await deadline(stubborn(), 0.05, what="look-up")

    assert loop.time() - began < 0.4
    await asyncio.sleep(0.6)


async def test_a_constraint_becomes_a_field_error(database: Database) -> None:
    """The database enforces; the error names the field."""
    statement = "INSERT INTO organisation (name, created_at) VALUES ('Acme', '2026-01-01')"
    await database._pool.execute(statement)
    database._named = {"again": queries.Query(name="again", sql=statement, parameters=())}
    with pytest.raises(FieldError, match="name: an organisation of that name exists already"):
        await database.execute("again")


def test_schema_file_equals_the_migrations(
    postgres_server: PostgresServer, template_database: str
) -> None:
    """`sql/schema.sql` is what the migrations make; `make schema` writes it anew."""
    expected = schema.dump(postgres_server, template_database)

    assert schema.PATH.read_text(encoding="utf-8") == expected
