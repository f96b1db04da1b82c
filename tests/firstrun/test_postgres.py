"""The embedded PostgreSQL: started, broken and started again without losing a commit."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from router.firstrun import process
from router.firstrun.postgres import PostgresError, PostgresServer
from tests.conftest import free_port, new_postgres


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="call-router-pg-") as folder:
        made = new_postgres(Path(folder))
        made.start()
        try:
            yield made
        finally:
            made.stop()


async def _write(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    await connection.close()


async def _read(dsn: str) -> int:
    connection = await asyncpg.connect(dsn, timeout=5)
    answer: int = await connection.fetchval("SELECT answer FROM kept")
    await connection.close()
    return answer


def test_commits_survive_stop_and_kill(server: PostgresServer) -> None:
    asyncio.run(_write(server.dsn()))
    server.restart()
    assert asyncio.run(_read(server.dsn())) == 42
    family = [server.pid or 0, *process.descendants(server.pid or 0)]
    server.kill()
    assert server.pid is None
    process.wait_gone(family, within=1)
    server.start()
    assert asyncio.run(_read(server.dsn())) == 42


def test_frozen_server_is_silent_and_goes_on(server: PostgresServer) -> None:
    asyncio.run(_write(server.dsn()))
    server.freeze()
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(asyncpg.connect(server.dsn()), 0.5))
    server.thaw()
    assert asyncio.run(_read(server.dsn())) == 42


def test_password_is_needed(server: PostgresServer) -> None:
    wrong = server.dsn().replace(server.password, "wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(asyncpg.connect(wrong))


def test_taken_port_is_told_with_the_log(server: PostgresServer) -> None:
    with tempfile.TemporaryDirectory(prefix="call-router-pg-") as folder:
        second = new_postgres(Path(folder))
        second.port = server.port
        with pytest.raises(PostgresError, match=r"(?s)ended at once; its log .*Address already"):
            second.start()


def test_interrupted_initialisation_is_done_again(server: PostgresServer) -> None:
    left = server.data_dir.parent / "second.new"
    left.mkdir()
    (left / "half").touch()
    second = PostgresServer(
        server.data_dir.parent / "second", free_port(), "secret", run_as=server.run_as
    )
    with second:
        assert not left.exists()
        assert (second.data_dir / "PG_VERSION").read_text() == "18\n"
