"""The router as a child of the first run."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from router.firstrun import process
from router.firstrun.http_client import RequestFailed, get
from router.firstrun.state import write_private

_READY_SECONDS = 30.0


class RouterError(Exception):
    """The router did not start; the message holds the end of its log."""


class RouterProcess:
    """`python -m router serve` with settings from `environment_file`, which is written here."""

    def __init__(
        self,
        checkout: Path,
        settings: Mapping[str, str],
        *,
        environment_file: Path,
        log: Path,
        ready_url: str,
    ) -> None:
        self._checkout = checkout
        self._settings = dict(settings)
        self._file = environment_file
        self._ready_url = ready_url
        self._child: subprocess.Popen[bytes] | None = None
        self.log = log

    def command(self, *arguments: str) -> str:
        """Run one command of the router to its end; what it printed. Raises RouterError."""
        done = subprocess.run(
            [sys.executable, "-m", "router", *arguments],
            env=self._environment(),
            cwd=self._checkout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RouterError(f"`call-router {' '.join(arguments)}` failed: {done.stderr.strip()}")
        return done.stdout

    def start(self, waiting: Callable[[], None] = lambda: None) -> None:
        """Start the router and wait until it says that it is ready."""
        # For a person who wants to run a command by hand against this instance.
        lines = (f"{name}={value}\n" for name, value in self._settings.items())
        write_private(self._file, "".join(lines))
        self._child = process.start(
            [sys.executable, "-m", "router", "serve"],
            log=self.log,
            env=self._environment(),
            cwd=self._checkout,
        )
        deadline = time.monotonic() + _READY_SECONDS
        problem = "it does not answer"
        while time.monotonic() < deadline:
            waiting()
            if not self.running:
                last = process.tail(self.log)
                raise RouterError(f"the router ended at once; its log {self.log} ends:\n{last}")
            try:
                get(self._ready_url, seconds=2)
            except RequestFailed as error:
                problem = str(error)
            else:
                return
            time.sleep(0.05)
        self.stop()
        raise RouterError(f"the router is not ready: {problem}; its log: {self.log}")

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        """Let the router finish what it does and end."""
        if self._child is not None:
            process.stop(self._child, within=10)

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CALL_ROUTER_")}
        return {**kept, **self._settings}
