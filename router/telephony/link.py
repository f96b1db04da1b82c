"""The link to one Asterisk: events in, in their order; live channels compared after each login.

`AmiLink.run` is a long-running task for the composition root; so are `FailsafeSync.run` (which uses
`records`) and `CelTailer.run` beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from router.domain.errors import StoreUnavailable
from router.domain.model import CallEvent
from router.services.calls import Calls
from router.services.clocks import Clocks
from router.services.metrics import CallMetrics
from router.services.readiness import Check
from router.telephony import cel
from router.telephony.celfile import CelTailer
from router.telephony.manager import AmiLogin, AmiRefused, AmiUnavailable, Message

log = structlog.get_logger(__name__)

WAITING_AT_MOST = 10_000
BATCH = 500
# events of one call come in bunches: one commit for a bunch
GATHER_SECONDS = 0.05
RETRY_SECONDS = 1.0
RESYNC = timedelta(seconds=15)
FILE_SECONDS = 10.0


class AmiLink:
    """Two logins: one listens, one writes records. `host` is Asterisk's systemname."""

    def __init__(
        self,
        *,
        address: tuple[str, int],
        events_login: tuple[str, str],
        records_login: tuple[str, str],
        host: str,
        calls: Calls,
        clocks: Clocks,
        metrics: CallMetrics,
        clock: Callable[[], datetime],
        tailer: CelTailer | None = None,
        ping_seconds: float = 2.0,
        refused_seconds: float = 30.0,
    ) -> None:
        self._host = host
        self._calls = calls
        self._clocks = clocks
        self._metrics = metrics
        self._clock = clock
        self._tailer = tailer
        self._queue: asyncio.Queue[Message] = asyncio.Queue(maxsize=WAITING_AT_MOST)

        def login(user: str, secret: str, *, listens: bool) -> AmiLogin:
            return AmiLogin(
                address=address,
                user=user,
                secret=secret,
                metrics=metrics,
                clock=clock,
                heard=self._heard if listens else None,
                enough=self._enough if listens else None,
                after_login=self._resync_for_ever if listens else None,
                noted_time=self._noted_time if listens else None,
                ping_seconds=ping_seconds,
                refused_seconds=refused_seconds,
            )

        self.events = login(*events_login, listens=True)
        self.records = login(*records_login, listens=False)

    async def run(self) -> None:
        """Keep both logins up and handle what is heard."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.events.run())
            tasks.create_task(self.records.run())
            tasks.create_task(self._consume())

    async def check(self) -> Check:
        """For readiness: are both logins up?"""
        states = {"events": self.events.state, "records": self.records.state}
        words = ", ".join(f"{name} {state}" for name, state in states.items())
        return Check(
            ok=all(state == "ready" for state in states.values()),
            words=f"AMI: {words}",
            figures={"clock_skew_seconds": self._clocks.asterisk.total_seconds()},
        )

    def _enough(self) -> bool:
        """AMI says when, the file says what: its rows cannot be forged by a line break in a field."""
        if self._tailer is None or not self._tailer.well:
            return False
        self._tailer.wake()
        return True

    def _heard(self, message: Message) -> None:
        """Called for every event by the protocol: plain, and cannot raise."""
        if message.get("event") != "CEL":
            return
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._metrics.ami_events_dropped.inc()

    def _noted_time(self, said: datetime, asked_at: datetime, answered_at: datetime) -> None:
        self._clocks.note("asterisk", said, asked_at, answered_at)

    async def _consume(self) -> None:
        """One consumer, in the order of arrival. What cannot be stored now is tried again."""
        waiting: list[CallEvent] = []
        while True:
            if not waiting:
                waiting += self._read(await self._queue.get())
                await asyncio.sleep(GATHER_SECONDS)
            while len(waiting) < BATCH and not self._queue.empty():
                waiting += self._read(self._queue.get_nowait())
            try:
                await self._calls.absorb(waiting, source="ami", now=self._clock())
            except StoreUnavailable as error:
                log.warning("call events wait", reason=str(error), waiting=len(waiting))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Exception:
                # they come again with the file; what follows them must not wait
                log.exception("call events not stored", count=len(waiting))
            if waiting:
                late = self._clock() + self._clocks.asterisk - waiting[-1].at
                self._metrics.ami_lag.set(late.total_seconds())
            waiting = []

    def _read(self, message: Message) -> list[CallEvent]:
        try:
            return [cel.from_ami(message)]
        except cel.BrokenRow as broken:
            log.warning("AMI event not read", reason=str(broken))
        except Exception:
            # one event must not end the reading of all others
            log.exception("AMI event not read")
        return []

    async def _resync_for_ever(self) -> None:
        """After each login, and every 15 s: calls that Asterisk has no more are closed."""
        while True:
            try:
                await self._resync()
            except (AmiUnavailable, AmiRefused, StoreUnavailable) as error:
                log.warning("live channels not compared", reason=str(error))
            except Exception:
                # the next comparison may well succeed; without any, lost calls would stay open
                log.exception("live channels not compared")
            await asyncio.sleep(RESYNC.total_seconds())

    async def _resync(self) -> None:
        answer = await self.events.action("CoreShowChannels")
        alive = {
            str(message.get("linkedid", ""))
            for message in answer
            if message.get("event") == "CoreShowChannel"
        }
        if self._tailer is not None and not await self._tailer.read_to_end(FILE_SECONDS):
            log.warning(
                "live channels not compared", reason="the call event file is not read to its end"
            )
            return
        await self._calls.reconcile(alive, self._host, self._clock())
