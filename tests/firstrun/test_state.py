"""Ports, folders, secrets and locks of an instance."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from router.firstrun import state
from tests.firstrun.ports import free_base


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("http", "PORT: 'http' is not a number"),
        ("80", "PORT: 80 is not between 1024 and 55136"),
        ("60000", "PORT: 60000 is not between 1024 and 55136"),
    ],
)
def test_wrong_port_is_refused_with_an_example(text: str, problem: str) -> None:
    with pytest.raises(state.StateError) as refused:
        state.read_port({"PORT": text})
    assert str(refused.value).startswith(problem)
    assert "make run PORT=9080" in str(refused.value)


def test_all_ports_count_from_one_setting() -> None:
    ports = state.read_port({"PORT": "9080"})
    assert (ports.http, ports.staff, ports.agi, ports.ami) == (9080, 9081, 9082, 9083)
    assert (ports.postgres, ports.sip, ports.company) == (9084, 9085, 9086)
    assert (ports.caller, ports.site, ports.rtp) == (9087, 9088, 19080)
    assert state.read_port({"PORT": " "}).base == state.DEFAULT_PORT


def test_taken_port_is_named_with_its_use() -> None:
    ports = state.Ports(base=free_base())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports.ami))
        taken.listen()
        (told,) = state.taken_ports(ports)
    assert told == f"tcp 127.0.0.1:{ports.ami} for Asterisk's manager: address already in use"
    assert state.taken_ports(ports) == []


def test_secrets_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    first = state.read_secrets(path, ("A", "B"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == 2
    again = state.read_secrets(path, ("A", "B", "C"))
    assert {k: again[k] for k in ("A", "B")} == first
    assert state.read_secrets(path, ("C",)) == {"C": again["C"]}


def test_lock_is_let_go_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    program = (
        "import pathlib, sys, time; from router.firstrun import state;"
        "kept = state.lock(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    assert state.holder(path) is None
    holder = subprocess.Popen(
        [sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert state.lock(path) is None
        assert state.holder(path) == holder.pid
    finally:
        holder.kill()
        holder.communicate()
    assert state.holder(path) is None
    kept = state.lock(path)
    assert kept is not None
    assert path.read_text() == f"{os.getpid()}\n"
    kept.close()


def test_state_folder_as_root_is_outside_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "SERVICE_HOME", tmp_path / "var/call-router")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    checkout = tmp_path / "checkout"
    checkout.mkdir(mode=0o700)
    folder = state.make_state_folder(checkout)
    assert folder.parent == tmp_path / "var/call-router"
    assert folder.stat().st_mode & 0o777 == 0o711
    assert (checkout / ".run/state").read_text() == f"{folder}\n"
    assert checkout.stat().st_mode & 0o777 == 0o700
    other = tmp_path / "other"
    other.mkdir()
    assert state.make_state_folder(other) != folder


def test_state_folder_of_an_ordinary_user_is_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert state.make_state_folder(tmp_path) == tmp_path / ".run"
