"""Cores, CPU time and child processes.

A server has one core to itself and everything else the others, so that a generator cannot take the time
it measures.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from router.firstrun import process

_TICK = os.sysconf("SC_CLK_TCK")
_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES = {_CORES[-1]}
OTHER_CORES = set(_CORES[:-1]) or SERVER_CORES
ALL_CORES = set(_CORES)
ROOT = Path(__file__).resolve().parents[2]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, with its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[position]) for position in (11, 12, 13, 14)) / _TICK


def family_cpu_seconds(pid: int) -> float:
    """The same of a process and everything below it: PostgreSQL is a family."""
    total = cpu_seconds(pid)
    for child in process.descendants(pid):
        with contextlib.suppress(OSError):
            total += cpu_seconds(child)
    return total


class Neighbours:
    """How busy the machine was with what is none of ours, since this was made."""

    def __init__(self) -> None:
        self._busy, self._ours, self._began = _busy_seconds(), _our_seconds(), time.monotonic()

    def cores(self) -> float:
        """Cores that others kept busy, on average. To be asked when all children have ended."""
        others = _busy_seconds() - self._busy - (_our_seconds() - self._ours)
        return max(0.0, others) / (time.monotonic() - self._began)


def _busy_seconds() -> float:
    first = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, first[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICK


def _our_seconds() -> float:
    return sum(os.times()[:4])


def pin(pid: int, cores: set[int]) -> None:
    """Tie a process, and what it has started, to cores; what it starts later inherits them."""
    for member in (pid, *process.descendants(pid)):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(member, cores)


class Child:
    """A program of ours in a process of its own, that prints one line of JSON when it is ready."""

    def __init__(
        self,
        *arguments: str,
        cores: set[int],
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._name = " ".join(arguments[:3])
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "--", sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    @property
    def pid(self) -> int:
        return self._process.pid

    def answer(self, seconds: float = 30) -> dict[str, Any]:
        """The next line it prints, read as JSON."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise RuntimeError(f"{self._name}: silent for {seconds:g} s") from None
        if not line:
            raise RuntimeError(f"{self._name}: ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        process.stop(self._process, within=5)


@contextmanager
def running(
    *arguments: str, cores: set[int], env: Mapping[str, str] | None = None
) -> Iterator[tuple[Child, dict[str, Any]]]:
    """A child that is ready, with what it said; stopped at the end."""
    child = Child(*arguments, cores=cores, env=env)
    try:
        yield child, child.answer()
    finally:
        child.stop()
