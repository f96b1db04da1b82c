"""Shared by every test: one PostgreSQL for the run, a database of its own for each test."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from router.firstrun import postgres, users
from router.store import migrations
from router.store.database import Database

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of the loopback interface that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine leaks into a test."""
    for name in list(os.environ):
        if name.startswith("CALL_ROUTER_") and not name.startswith("CALL_ROUTER_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.PostgresServer]:
    """A PostgreSQL of our own for the whole run."""
    with tempfile.TemporaryDirectory(
        prefix="call-router-test-", ignore_cleanup_errors=True
    ) as folder:
        server = new_postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def new_postgres(folder: Path) -> postgres.PostgresServer:
    """A server in `folder`; as root under the service user, who must be able to reach it."""
    run_as = users.service_user()
    if run_as:
        folder.chmod(0o711)
    return postgres.PostgresServer(
        data_dir=folder / "data",
        port=free_port(),
        password=secrets.token_urlsafe(16),
        run_as=run_as,
        # a test database may be lost: waiting for the disk at every commit shows nothing more
        options={"fsync": "off", "synchronous_commit": "on", "max_connections": "200"},
    )


async def create_database(
    server: postgres.PostgresServer, name: str, template: str = "template1"
) -> str:
    """A new database on `server`; returns its URL."""
    admin = await asyncpg.connect(server.dsn("postgres"))
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    await admin.close()
    return server.dsn(name)


@pytest.fixture(scope="session")
def template_database(postgres_server: postgres.PostgresServer) -> str:
    """A migrated database that every test's own is cloned from."""
    asyncio.run(create_database(postgres_server, "template_migrated"))
    asyncio.run(migrations.migrate(postgres_server.dsn("template_migrated")))
    return "template_migrated"


@pytest.fixture
async def dsn(
    postgres_server: postgres.PostgresServer, template_database: str
) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database."""
    name = f"test_{secrets.token_hex(6)}"
    yield await create_database(postgres_server, name, template_database)
    admin = await asyncpg.connect(postgres_server.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A connected Database on a fresh, migrated database."""
    connected = await Database.connect(dsn, connections=8)
    yield connected
    await connected.close()


@pytest.fixture
def now() -> datetime:
    """A Monday morning."""
    return MONDAY
