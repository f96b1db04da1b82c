"""Progress on the terminal: each step one line, with its time."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

_WIDTH = 30


class Step:
    """A step under way: `note` sets what its line says when it is done."""

    def __init__(self) -> None:
        self.note = ""


class Steps:
    """Prints steps as they finish; steps of several threads may overlap."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._live = self._out.isatty()
        self._running: list[str] = []
        self._mutex = threading.Lock()
        self.started = time.monotonic()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time what is done inside; where it fails, say which step failed and pass the error on."""
        step = Step()
        began = time.monotonic()
        self._change(name, begins=True)
        try:
            yield step
        except BaseException:
            self._change(name, begins=False)
            self.line(f"  ✗ {name:<{_WIDTH}} failed after {time.monotonic() - began:.1f} s")
            raise
        self._change(name, begins=False)
        took = time.monotonic() - began
        self.line(f"  ✓ {name:<{_WIDTH}} {took:5.1f} s  {step.note}".rstrip())

    def say(self, text: str) -> None:
        """A line about the step under way."""
        self.line(f"    {text}")

    def line(self, text: str = "") -> None:
        """A whole line."""
        with self._mutex:
            self._wipe()
            print(text, file=self._out, flush=True)
            self._show()

    def _change(self, name: str, *, begins: bool) -> None:
        with self._mutex:
            self._wipe()
            if begins:
                self._running.append(name)
            else:
                self._running.remove(name)
            self._show()

    def _wipe(self) -> None:
        if self._live and self._running:
            self._out.write("\r\x1b[K")

    def _show(self) -> None:
        if self._live and self._running:
            self._out.write(f"  … {', '.join(self._running)}")
            self._out.flush()
