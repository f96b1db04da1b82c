"""The script of one arriving call: AGI variables in, the route out, under one deadline.

Nothing that goes wrong here keeps a caller waiting: ``{}`` makes Asterisk take the route it holds itself.
While the database does not answer, a breaker answers so at once, and `run` finds out when it is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from router.domain.errors import StoreUnavailable
from router.domain.model import Arrival, Route
from router.services.calls import Calls
from router.services.metrics import CallMetrics
from router.telephony import variables

log = structlog.get_logger(__name__)

PROBE_SECONDS = 0.5


class Inbound:
    """FastAgiServer's handler. `run` is a long-running task for the composition root."""

    def __init__(self, calls: Calls, metrics: CallMetrics, clock: Callable[[], datetime]) -> None:
        self._calls = calls
        self._metrics = metrics
        self._clock = clock
        self._broken = asyncio.Event()

    async def __call__(self, environment: Mapping[str, str]) -> bytes | None:
        """The command for Asterisk; None for who does not ask what we answer."""
        if environment.get("agi_network_script") != variables.SCRIPT:
            return None
        arrival = variables.arrival(environment)
        if not arrival.linkedid:
            return None
        # named in each line, not bound: calls are served together, so a context would name one for all
        return self._command(await self._route(arrival), arrival.linkedid)

    async def _route(self, arrival: Arrival) -> Route | None:
        if self._broken.is_set():
            self._metrics.unanswered.labels("breaker").inc()
            return None
        try:
            return await self._calls.arrive(arrival, self._clock())
        except StoreUnavailable as error:
            self._metrics.unanswered.labels("database").inc()
            if not self._broken.is_set():
                log.warning(
                    "calls take Asterisk's own routes",
                    linkedid=arrival.linkedid,
                    reason=str(error),
                )
            self._broken.set()
        except Exception:
            self._metrics.unanswered.labels("error").inc()
            log.exception("call not routed", linkedid=arrival.linkedid)
        return None

    def _command(self, route: Route | None, linkedid: str) -> bytes:
        try:
            return variables.set_variable(variables.ANSWER, variables.answer(route))
        except variables.Unwritable:
            log.exception("route not written", linkedid=linkedid)
            return variables.set_variable(variables.ANSWER, variables.answer(None))

    async def run(self) -> None:
        """Close the breaker when the database answers again; to be run for ever."""
        while True:
            await self._broken.wait()
            await asyncio.sleep(PROBE_SECONDS)
            try:
                await self._calls.answering()
            except StoreUnavailable:
                continue
            self._broken.clear()
            log.info("calls are routed again")
