"""Changes of calls, told to whoever watches inside this process.

A publisher never waits and never fails: each subscriber has a queue of its own, and one that does not
empty it is dropped (it reconnects and reads the list again). Calls that another router process handles are
not heard here; the live page therefore also reads the list from time to time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

WAITING_AT_MOST = 256
SUBSCRIBERS_AT_MOST = 200


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something happened to the call `ref`; `number` counts up by one in this process."""

    number: int
    ref: str
    change: Mapping[str, Any]


class TooManySubscribers(Exception):
    """More feeds are open than this process serves."""


@dataclass(eq=False)
class Subscription:
    """An endless run of changes. It ends when its reader was too slow, or when it is closed."""

    _queue: asyncio.Queue[Change] = field(
        default_factory=lambda: asyncio.Queue(maxsize=WAITING_AT_MOST)
    )
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, change: Change) -> bool:
        """False when the reader is so far behind that it has to start anew."""
        try:
            self._queue.put_nowait(change)
        except asyncio.QueueFull:
            self._ended.set()
            return False
        return True

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def end(self) -> None:
        """Let the reader finish what waits, then stop it."""
        self._ended.set()

    async def next(self, seconds: float) -> Change | None:
        """The next change, or None when nothing happened for so long or the subscription ended."""
        if self._queue.empty() and not self.ended:
            getter = asyncio.ensure_future(self._queue.get())
            ended = asyncio.ensure_future(self._ended.wait())
            try:
                await asyncio.wait(
                    {getter, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
                )
                if getter.done():
                    return getter.result()
            finally:
                getter.cancel()
                ended.cancel()
        return None if self._queue.empty() else self._queue.get_nowait()


class Live:
    """Publish and subscribe inside the process."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._listeners: list[Callable[[Change], None]] = []
        self._number = 0

    @property
    def subscribers(self) -> int:
        return len(self._subscriptions)

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Have `listener` told of every change at once. It must not wait and must not raise."""
        self._listeners.append(listener)

    def publish(self, ref: str, change: Mapping[str, Any]) -> None:
        """Tell every subscriber. Never waits; a subscriber that fell behind is dropped."""
        self._number += 1
        told = Change(number=self._number, ref=ref, change=change)
        for listener in self._listeners:
            listener(told)
        for subscription in list(self._subscriptions):
            if not subscription.put(told):
                self._subscriptions.discard(subscription)

    @contextmanager
    def subscription(self) -> Iterator[Subscription]:
        """A subscription for as long as the block runs. Raises TooManySubscribers."""
        if len(self._subscriptions) >= SUBSCRIBERS_AT_MOST:
            raise TooManySubscribers
        opened = Subscription()
        self._subscriptions.add(opened)
        try:
            yield opened
        finally:
            self._subscriptions.discard(opened)

    async def subscribe(self) -> AsyncIterator[Change]:
        """Changes from now on, until the reader falls behind or the program stops."""
        with self.subscription() as opened:
            while (change := await opened.next(60)) is not None or not opened.ended:
                if change is not None:
                    yield change

    def close(self) -> None:
        """End every subscription: the program stops."""
        for subscription in self._subscriptions:
            subscription.end()
