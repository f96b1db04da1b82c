"""Decisions that calls were answered by, written down right after the answers: no caller waits for that.

The call's own row is committed before its answer. If the router dies in between, the call is credited as
of its arrival when its events are read (callrecord.py), as one is that nobody was asked about.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from router.domain.errors import StoreUnavailable
from router.services.attributing import Attributor, Credit
from router.services.live import Live
from router.store import decisions
from router.store.database import Database, deadline
from router.store.decisions import Decided

log = structlog.get_logger(__name__)

PATIENCE = 5.0
# Asterisk is about to ring the company: it has the machine for itself meanwhile
AFTER_SECONDS = 0.02
RETRY_SECONDS = 0.5
AT_ONCE = 128
# beyond this the oldest are left to the calls' events: a database may be away for long
WAITING_AT_MOST = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A call that has its route, and why. `ref` is ours of the call."""

    ref: str
    decided: Decided
    credit: Credit


class Crediting:
    """Writes while there is something to write; nothing runs in between."""

    def __init__(self, database: Database, attributor: Attributor, live: Live) -> None:
        self._database = database
        self._attributor = attributor
        self._live = live
        self._waiting: deque[Answered] = deque(maxlen=WAITING_AT_MOST)
        self._being_written: Sequence[Answered] = ()
        self._writing: asyncio.Task[None] | None = None

    def add(self, answered: Answered) -> None:
        """Have it written down in a moment."""
        self._waiting.append(answered)
        if self._writing is None:
            self._begin()

    def _begin(self) -> None:
        self._writing = asyncio.create_task(self._write())
        self._writing.add_done_callback(self._ended)

    def holds(self, linkedid: str) -> bool:
        """Whether what the call was answered by is still to be written."""
        return any(
            one.decided.linkedid == linkedid for one in (*self._being_written, *self._waiting)
        )

    async def settled(self) -> None:
        """Returns once everything added so far is written, or given up."""
        while self._writing is not None:
            await asyncio.wait({self._writing})

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        if self._waiting and not task.cancelled():
            # added between the last look at what waits and the task's end
            self._begin()

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(AFTER_SECONDS)
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            self._being_written = batch
            try:
                await self._written(batch)
            except StoreUnavailable as error:
                log.warning("decisions wait", reason=str(error), calls=len(batch))
                self._waiting.extendleft(reversed(batch))
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("decisions not written together", calls=len(batch))
                await self._one_by_one(batch)
            finally:
                self._being_written = ()

    async def _one_by_one(self, batch: list[Answered]) -> None:
        """One that cannot be written stands in nobody's way; its call's events credit it anew."""
        for answered in batch:
            try:
                await self._written([answered])
            except Exception:
                log.exception("decision not written", linkedid=answered.decided.linkedid)

    async def _written(self, batch: list[Answered]) -> None:
        done = await deadline(
            decisions.credit(self._database.kept, [one.decided for one in batch]),
            PATIENCE,
            what="decisions",
        )
        for one in batch:
            found = one.decided.found
            if one.decided.linkedid in done:
                done.remove(one.decided.linkedid)
                self._attributor.count(one.credit)
            self._live.publish(
                one.ref, {"state": "arrived", "organisation_id": found.organisation_id}
            )
            self._attributor.wish_to_settle(found, one.decided.now)
