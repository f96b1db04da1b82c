"""`python -m router`: every refusal is a line that names what, why, and a good one."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from router.firstrun.postgres import PostgresServer
from tests.conftest import create_database

NOWHERE = {"CALL_ROUTER_DATABASE_URL": "postgresql://nobody:none@127.0.0.1:1/none"}


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "router", *words],
        env={"PATH": "/usr/bin:/bin", **settings},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "target add office --endpoint a --ring-seconds abc",
            r"--ring-seconds: .* integer.* \(for example 25\)",
        ),
        ("target add", r"name: is missing \(for example clearpane\)"),
        ("site add clearpane", r"--origin: is missing \(for example https://www.example.com\)"),
        ("target add x --nonsense 1", r"No such option: --nonsense \(see `.* --help`\)"),
        ("nonsense", r"No such command 'nonsense' \(see `.* --help`\)"),
    ],
)
def test_a_word_it_cannot_take(words: str, said: str) -> None:
    """One line, exit code 2, nothing done."""
    done = run(*words.split(), **NOWHERE)

    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert re.search(said, done.stderr), done.stderr


@pytest.mark.parametrize("words", ["--help", "number --help", "pool add --help", "number"])
def test_help_needs_no_settings(words: str) -> None:
    """It is what one reads first; a command still says which setting it lacks."""
    done = run(*words.split())
    without = run("site", "list")

    assert "Usage" in done.stdout + done.stderr
    assert "CALL_ROUTER_DATABASE_URL" not in done.stderr
    assert without.returncode == 2
    assert without.stderr.startswith("error: settings are wrong")


def test_wrong_settings_are_all_told() -> None:
    """Before anything else is done."""
    done = run("migrate", CALL_ROUTER_HTTP_LISTEN="nowhere")

    assert done.returncode == 2
    assert "CALL_ROUTER_DATABASE_URL: is not set" in done.stderr
    assert "CALL_ROUTER_HTTP_LISTEN: 'nowhere' is refused" in done.stderr


def test_a_taken_port_is_named_with_its_setting(
    postgres_server: PostgresServer, template_database: str
) -> None:
    """`serve` ends at once and says which setting to change."""
    dsn = asyncio.run(create_database(postgres_server, "taken_port", template_database))
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        done = run(
            "serve",
            CALL_ROUTER_DATABASE_URL=dsn,
            CALL_ROUTER_AGI_LISTEN=taken,
            CALL_ROUTER_HTTP_LISTEN="127.0.0.1:0",
            CALL_ROUTER_STAFF_LISTEN="127.0.0.1:0",
        )

    assert done.returncode == 2
    assert f"CALL_ROUTER_AGI_LISTEN: cannot listen on {taken}" in done.stderr
    assert "Traceback" not in done.stderr
