"""The virtual environment is made once for a lock file, here, with this Python."""

import json
import sys
from pathlib import Path

import pytest

from router.firstrun import environment
from router.firstrun.environment import DEVELOPMENT, RUNTIME, EnvironmentProblem


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with lock files that ask for nothing that is not there."""
    (tmp_path / RUNTIME).write_text("# nothing\n")
    (tmp_path / DEVELOPMENT).write_text("# nothing, for developers\n")
    return tmp_path


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have run; only `venv` really does."""
    ran: list[list[str]] = []
    real = environment._run

    def run(command: list[str], environ: object) -> None:
        ran.append(command)
        if "venv" in command:
            real(command, {})

    monkeypatch.setattr(environment, "_run", run)
    monkeypatch.setattr(environment, "_pip", lambda *_: (Path("/pip.whl"), {}))
    return ran


def install(checkout: Path, lock: str) -> int:
    return environment.install(checkout, lock, checkout, {}, print)


def test_made_once_and_again_when_the_lock_changes(checkout: Path, pip: list[list[str]]) -> None:
    assert not environment.is_ready(checkout, RUNTIME)
    (checkout / RUNTIME).write_text("one==1 \\\n    --hash=sha256:0\ntwo-b==2\n# via three==3\n")
    assert install(checkout, RUNTIME) == 2
    assert environment.is_ready(checkout, RUNTIME)
    assert not environment.is_ready(checkout, DEVELOPMENT)
    assert "--require-hashes" in pip[-1]
    (checkout / RUNTIME).write_text("# changed\n")
    assert not environment.is_ready(checkout, RUNTIME)
    install(checkout, RUNTIME)
    assert [command[2] for command in pip].count("venv") == 1, "brought up to date, not made anew"


def test_development_lock_serves_the_runtime_too(checkout: Path, pip: list[list[str]]) -> None:
    install(checkout, DEVELOPMENT)
    assert environment.is_ready(checkout, RUNTIME)


def test_interrupted_installation_starts_anew(
    checkout: Path, pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(checkout, RUNTIME)
    half = checkout / ".venv/half"
    half.touch()

    def interrupt(*_: object) -> tuple[Path, dict[str, str]]:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(environment, "_pip", interrupt)
        (checkout / RUNTIME).write_text("# changed\n")
        with pytest.raises(KeyboardInterrupt):
            install(checkout, RUNTIME)
    assert not environment.is_ready(checkout, RUNTIME)
    install(checkout, RUNTIME)
    assert not half.exists()
    assert environment.is_ready(checkout, RUNTIME)


def test_moved_checkout_needs_a_new_environment(checkout: Path, pip: list[list[str]]) -> None:
    install(checkout, RUNTIME)
    stamp = checkout / ".venv/installed.json"
    told = json.loads(stamp.read_text())
    stamp.write_text(json.dumps({**told, "checkout": "/elsewhere"}))
    assert not environment.is_ready(checkout, RUNTIME)
    stamp.write_text(json.dumps({**told, "python": "/usr/bin/python2"}))
    assert not environment.is_ready(checkout, RUNTIME)
    stamp.write_text("{")
    assert not environment.is_ready(checkout, RUNTIME)


def test_failure_says_which_tool_and_what_it_said() -> None:
    command = [sys.executable, "-m", "pip", "install", "--no-index", "no-such-thing"]
    with pytest.raises(EnvironmentProblem, match="pip says"):
        environment._run(command, {})
