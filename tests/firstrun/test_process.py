"""Children: stopped by their handle, never outliving whoever started them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from router.firstrun import process


def test_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from router.firstrun import process;"
        "child = process.start(['sleep', '60'], log=None);"
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert process._lives(pid)
    parent.kill()
    parent.communicate()
    process.wait_gone([pid], within=5)


def test_a_parent_killed_before_the_leash_is_tied_leaves_nothing_running(tmp_path: Path) -> None:
    # The parent dies while its child still waits to become `setpriv`: a slow disk, made here by a
    # `setpriv` that sleeps first.
    real = shutil.which("setpriv")
    slow = tmp_path / "setpriv"
    slow.write_text(f'#!/bin/sh\nsleep 0.5\nexec {real} "$@"\n')
    slow.chmod(0o755)
    witness = tmp_path / "begun"
    program = (
        "from router.firstrun import process;"
        f"child = process.start(['touch', {str(witness)!r}], log=None);"
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    process.wait_gone([pid], within=5)
    assert not witness.exists()


def test_stop_asks_first_and_kills_what_does_not_listen(tmp_path: Path) -> None:
    log = tmp_path / "log"
    deaf = process.start(
        ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"], log=log
    )
    while "deaf" not in process.tail(log):
        time.sleep(0.01)
    assert process.stop(deaf, within=0.3) == -signal.SIGKILL
    polite = process.start(["sleep", "60"], log=None)
    assert process.stop(polite, within=5) == -signal.SIGTERM


def test_frozen_child_is_stopped_too() -> None:
    child = process.start(["sleep", "60"], log=None)
    child.send_signal(signal.SIGSTOP)
    assert process.stop(child, within=5) == -signal.SIGTERM


def test_output_is_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for word in ("one", "two"):
        process.start(["echo", word], log=log).wait(5)
    assert process.tail(log) == "one\ntwo"
    assert process.tail(tmp_path / "absent") == ""
