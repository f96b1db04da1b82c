"""The server itself: a clean start, its user and files, and every way it can fail to start."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.firstrun import users
from router.firstrun.asterisk import AsteriskConfig, AsteriskError, AsteriskServer
from tests.e2e.pbx import Pbx, find_prefix, new_asterisk, taken
from tests.e2e.sip import SipAgent


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ct-own-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_it_starts_without_a_complaint_stops_and_starts_again(folder: Path) -> None:
    server = new_asterisk(folder)
    for _ in range(2):
        begin = time.monotonic()
        server.start()
        try:
            assert time.monotonic() - begin < 10
            assert server.problems() == []
            assert "0 active channels" in server.cli("core show channels count")
        finally:
            server.stop()
        assert not server.running


def test_it_runs_as_an_ordinary_user_and_keeps_its_secrets(folder: Path) -> None:
    before = stat.S_IMODE(folder.stat().st_mode), folder.stat().st_uid
    server = new_asterisk(folder)
    server.start()
    try:
        owner = Path(f"/proc/{server.pid}").stat().st_uid
    finally:
        server.stop()
    assert owner != 0
    for file in ("manager.conf", "pjsip.conf", "extensions.conf"):
        found = (server.conf / file).stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, owner), file
    assert (stat.S_IMODE(folder.stat().st_mode), folder.stat().st_uid) == before


def test_a_module_that_is_missing_stops_the_start_and_is_named(folder: Path) -> None:
    server = new_asterisk(folder)
    with (server.conf / "modules.conf").open("a") as file:
        file.write("require = res_not_there.so\n")
    with pytest.raises(AsteriskError, match=r"res_not_there\.so"):
        server.start(timeout=10)
    assert not server.running


@pytest.mark.parametrize(
    ("setting", "kind"), [("sip_port", socket.SOCK_DGRAM), ("ami_port", socket.SOCK_STREAM)]
)
def test_a_port_that_is_taken_is_named(folder: Path, setting: str, kind: socket.SocketKind) -> None:
    server = new_asterisk(folder)
    port = getattr(server.config, setting)
    with (
        taken("127.0.0.1", port, kind),
        pytest.raises(AsteriskError, match=rf"127\.0\.0\.1:{port} .*PORT"),
    ):
        server.start()
    assert not server.running


async def test_a_line_that_comes_up_late_is_seen_at_once(folder: Path) -> None:
    server = new_asterisk(folder)
    server.start()
    try:
        assert not await asyncio.to_thread(server.wait_for_line, "company", 0.5)
        line = await SipAgent.open(server.config.company_host, server.config.company_port)
        begin = time.monotonic()
        assert await asyncio.to_thread(server.wait_for_line, "company")
        assert time.monotonic() - begin < 2
        await line.close()
    finally:
        server.stop()


def test_one_that_was_left_behind_is_ended_first(folder: Path) -> None:
    first = new_asterisk(folder)
    first.start()
    again = AsteriskServer(find_prefix(), first.base, first.config, first.run_as)
    try:
        again.start()
        assert not first.running
        assert again.running
    finally:
        again.stop()
        first.stop()


def test_a_frozen_one_does_not_answer_and_goes_on_when_thawed(folder: Path) -> None:
    server = new_asterisk(folder)
    server.start()
    try:
        server.freeze()
        with pytest.raises(AsteriskError, match="no answer"):
            server.cli("core show uptime", timeout=0.5)
        server.thaw()
        assert "uptime" in server.cli("core show uptime").lower()
        server.freeze()
    finally:
        server.stop()  # in order, although frozen
    assert not server.running


def test_a_deep_folder_does_not_break_the_control_socket(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    server = new_asterisk(deep)
    server.start()
    try:
        assert "uptime" in server.cli("core show uptime").lower()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("system_name", "pbx/../1"),
        ("events_secret", "a;b"),
        ("events_secret", ""),
        ("records_secret", "a\npermit=0.0.0.0/0.0.0.0"),
        ("default_line", "PJSIP/${SHELL(id)}"),
    ],
)
def test_a_value_that_would_change_the_meaning_of_a_file_is_refused(field: str, value: str) -> None:
    fields = {"system_name": "pbx1", "events_secret": "e", "records_secret": "r"}
    ports = dict.fromkeys(
        ("sip_port", "company_port", "trunk_port", "agi_port", "ami_port"), 5060
    ) | {"rtp_first": 10000, "rtp_last": 10100}
    with pytest.raises(AsteriskError, match=field):
        AsteriskConfig(**{**ports, **fields, field: value})  # type: ignore[arg-type]


def test_who_it_runs_as_must_be_said_as_root_and_only_then(shared_pbx: Pbx, folder: Path) -> None:
    config = shared_pbx.server.config
    wrong = None if os.geteuid() == 0 else users.SERVICE_USER
    with pytest.raises(AsteriskError, match="user"):
        AsteriskServer(find_prefix(), folder / "asterisk", config, wrong)


def test_a_prefix_without_asterisk_is_refused(shared_pbx: Pbx, folder: Path) -> None:
    with pytest.raises(AsteriskError, match="no complete Asterisk"):
        AsteriskServer(folder, folder / "a", shared_pbx.server.config, users.service_user())
