"""Children that never outlive their parent and are stopped by their own handle."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class ProcessError(Exception):
    """A child did not start, or does not end."""


def start(
    command: Sequence[str | Path],
    *,
    log: Path | None,
    run_as: str | None = None,
    parent_death: signal.Signals = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, its output appended to `log`.

    The kernel sends it `parent_death` when the thread that started it ends, so that a supervisor
    killed with -9 leaves no orphans: start children from the main thread. `setpriv` (part of
    every Debian) and the shell become the command itself, so the handle's pid is the server's.
    The shell is there because the kernel does not tell of a parent that ended before it was asked
    to: a command whose parent is gone by then is not begun.
    """
    leash: list[str | Path] = ["setpriv", f"--pdeathsig={parent_death.name.removeprefix('SIG')}"]
    if run_as is not None:
        leash += [f"--reuid={run_as}", f"--regid={run_as}", "--init-groups"]
    leash += ["--", "sh", "-c", f'[ "$PPID" = {os.getpid()} ] && exec "$@"', "sh"]
    output: int = subprocess.DEVNULL
    if log is not None:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    try:
        return subprocess.Popen(
            [*leash, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
        )
    finally:
        if log is not None:
            os.close(output)


def stop(
    child: subprocess.Popen[bytes],
    *,
    by: signal.Signals = signal.SIGTERM,
    within: float = 10.0,
) -> int:
    """Ask the child to end, kill it after `within` seconds; its exit status."""
    if child.poll() is None:
        child.send_signal(by)
        # A stopped (frozen) child acts on the signal only once it is continued.
        child.send_signal(signal.SIGCONT)
        try:
            return child.wait(within)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def descendants(pid: int) -> list[int]:
    """The children of a process and their children, parents first."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                children = [int(child) for child in task.read_text().split()]
                found += children
                waiting += children
    return found


def send(pids: Sequence[int], what: signal.Signals) -> None:
    """Signal each process that still lives."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)


def wait_gone(pids: Sequence[int], within: float = 5.0) -> None:
    """Wait until none of the processes lives (a zombie is gone)."""
    deadline = time.monotonic() + within
    while any(_lives(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise ProcessError(f"processes {[p for p in pids if _lives(p)]} do not end")
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error message; empty where there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
