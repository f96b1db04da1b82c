"""Writes `sql/schema.sql`, the tables in one file for readers: `python -m tests.store.schema`."""

from __future__ import annotations

import asyncio
import re
import subprocess
import tempfile
from pathlib import Path

from router.firstrun.postgres import PostgresServer, wheel_binaries
from router.store import migrations, queries

PATH = queries.sql_folder() / "schema.sql"
_HEAD = """\
-- Generated from sql/migrations by `make schema`; a test asserts that they are equal. Do not edit.
"""


def dump(server: PostgresServer, database: str) -> str:
    """The schema of a database, without what differs from one PostgreSQL release to the next."""
    done = subprocess.run(
        [
            wheel_binaries() / "pg_dump",
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            "--exclude-table=schema_migrations",
            server.dsn(database),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    kept = [
        line
        for line in done.stdout.splitlines()
        if not line.startswith(("--", "\\", "SET ", "SELECT pg_catalog"))
    ]
    return _HEAD + re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n") + "\n"


def main() -> None:
    from tests.conftest import create_database, new_postgres

    with (
        tempfile.TemporaryDirectory(prefix="call-router-schema-") as folder,
        new_postgres(Path(folder)) as server,
    ):
        dsn = asyncio.run(create_database(server, "written"))
        asyncio.run(migrations.migrate(dsn))
        PATH.write_text(dump(server, "written"), encoding="utf-8")
    print(f"wrote {PATH.name}")


if __name__ == "__main__":
    main()
