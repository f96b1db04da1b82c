"""Pauses in reading, for what comes in bunches: waking up for each piece costs more than the piece."""

from __future__ import annotations

import asyncio


class Quiet:
    """Lets a transport rest for `seconds` at a time."""

    def __init__(self, transport: asyncio.ReadTransport, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Read nothing for a while."""
        if self._timer is None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.end)

    def end(self) -> None:
        """Read on at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            if not self._transport.is_closing():
                self._transport.resume_reading()
