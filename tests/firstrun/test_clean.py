"""`make clean` removes what was made, and nothing while it runs."""

import os
from pathlib import Path

import pytest

from router.firstrun import clean, state, users


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that root ran: sources, an environment, and state outside of it."""
    made = tmp_path / "checkout"
    (made / "router/__pycache__").mkdir(parents=True)
    (made / "router/app.py").touch()
    (made / ".venv").mkdir()
    monkeypatch.setattr(users, "SERVICE_HOME", tmp_path / "var")
    monkeypatch.setattr(state, "SERVICE_HOME", tmp_path / "var")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(users, "user_exists", lambda _: True)
    return made


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(users, "remove_service_user", lambda: names.append("user"))
    return names


def test_everything_goes_and_the_sources_stay(checkout: Path, removed: list[str]) -> None:
    folder = state.make_state_folder(checkout)
    assert clean._clean(checkout) == 0
    assert [str(p.relative_to(checkout)) for p in sorted(checkout.rglob("*"))] == [
        "router",
        "router/app.py",
    ]
    assert not folder.exists()
    assert not folder.parent.exists()
    assert removed == ["user"]


def test_user_stays_while_another_instance_needs_it(
    checkout: Path, removed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = checkout.parent / "other"
    other.mkdir()
    kept = state.make_state_folder(other)
    folder = state.make_state_folder(checkout)
    assert clean._clean(checkout) == 0
    assert kept.exists()
    assert not folder.exists()
    assert removed == []
    assert f"{kept} of {other}" in capsys.readouterr().out


def test_nothing_goes_while_it_runs(
    checkout: Path, removed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = state.make_state_folder(checkout)
    held = state.lock(folder / "run.lock")
    assert held is not None
    assert clean._clean(checkout) == 1
    assert f"pid {os.getpid()}" in capsys.readouterr().out
    assert (checkout / ".venv").exists()
    assert folder.exists()
    held.close()


def test_ordinary_user_is_sent_to_root(
    checkout: Path,
    removed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state.make_state_folder(checkout)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert clean._clean(checkout) == 1
    assert "as root first" in capsys.readouterr().out
