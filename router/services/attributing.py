"""Crediting calls: one decision for the call that is arriving and for the one found out about later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from router.domain import matching, routing
from router.domain.errors import StoreUnavailable
from router.domain.matching import Shares
from router.domain.model import Attribution, CallId, NumberId
from router.domain.past import settle
from router.domain.visitstate import Outage
from router.services.clocks import Clocks
from router.services.codes import Codes
from router.services.metrics import CallMetrics
from router.services.regions import Regions
from router.store import arrivals, decisions
from router.store.arrivals import Asked, Dialled
from router.store.database import Database, Queries, deadline

log = structlog.get_logger(__name__)

# more visits than this are summed up for the next call on the number
SETTLE_FROM = 64
SETTLE_EVERY = 10.0
SETTLE_AT_ONCE = 20
PATIENCE = 10.0


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which number was dialled, by whom, through which trunk, in which call. `raw_did` is what the trunk sent."""

    did: str
    raw_did: str
    caller: str
    trunk: str
    linkedid: str = ""

    @property
    def readings(self) -> tuple[str, ...]:
        return routing.dialled(self.did, self.raw_did)

    @property
    def likeliest(self) -> str:
        """What was dialled, before anybody has looked which of our numbers it is."""
        readings = self.readings
        return readings[0] if readings else self.did


@dataclass(frozen=True, kw_only=True)
class Credit:
    """A decision, what it was made from, and the number as it is written down."""

    found: Dialled
    attribution: Attribution
    shares: Shares | None
    did: str


class Attributor:
    """Decides, writes decisions down, and keeps the visits of the past summed up."""

    def __init__(
        self,
        database: Database,
        metrics: CallMetrics,
        clocks: Clocks,
        codes: Codes,
        regions: Regions,
    ) -> None:
        self._database = database
        self._regions = regions
        self._codes = codes
        self._metrics = metrics
        self._clocks = clocks
        self._waiting: asyncio.Queue[tuple[NumberId, str, datetime]] = asyncio.Queue(maxsize=100)
        self._settling: set[NumberId] = set()

    async def decide(self, queries: Queries, question: Question, t: datetime) -> Credit:
        """Who called at `t`, a moment of our clock, by what is known of that moment now."""
        (found,) = await self.look(queries, [(question, t)])
        return self.credit(question, found, t)

    async def look(
        self, queries: Queries, asked: Sequence[tuple[Question, datetime]]
    ) -> list[Dialled]:
        """What decides each of several calls, in one trip."""
        found = await self._looked(queries, asked)
        for place, (question, t) in enumerate(asked):
            if found[place].shown.kind == "unknown":
                before = self._codes.forms(question.readings, t)
                await self._codes.reread(queries, t)
                if self._codes.forms(question.readings, t) != before:
                    (found[place],) = await self._looked(queries, [(question, t)])
        return found

    async def _looked(
        self, queries: Queries, asked: Sequence[tuple[Question, datetime]]
    ) -> list[Dialled]:
        if len(asked) == 1:
            ((question, t),) = asked
            return [
                await arrivals.dialled(
                    queries,
                    self._codes.forms(question.readings, t),
                    question.caller,
                    question.trunk,
                    t,
                    linkedid=question.linkedid,
                )
            ]
        return await arrivals.dialled_together(
            queries,
            [
                Asked(
                    numbers=self._codes.forms(one.readings, t),
                    caller=one.caller,
                    trunk=one.trunk,
                    t=t,
                    linkedid=one.linkedid,
                )
                for one, t in asked
            ],
        )

    def credit(
        self, question: Question, found: Dialled, t: datetime, gap: Outage | None = None
    ) -> Credit:
        """The decision about a call at `t` by what was looked up; `gap` is an outage not written down yet."""
        attribution, shares = matching.attribute(
            found.shown,
            found.candidates,
            found.past,
            t,
            outages=(*found.outages, gap) if gap else found.outages,
            known_caller=found.known_caller,
            caller=self._regions.caller(question.caller, found.site_id),
        )
        region = self._regions.region(question.caller)
        attribution = replace(attribution, inputs={**attribution.inputs, "caller_region": region})
        did = found.e164 or question.likeliest
        return Credit(found=found, attribution=attribution, shares=shares, did=did)

    async def write(
        self,
        queries: Queries,
        call_id: CallId,
        credit: Credit,
        now: datetime,
        *,
        again: bool = False,
    ) -> bool:
        """Credit a call that has no attribution; with `again`, anew, beside the old. False if it was not."""
        done = await decisions.attribute(
            queries,
            call_id,
            found=credit.found,
            did=credit.did,
            attribution=credit.attribution,
            shares=credit.shares,
            now=now,
            again=again,
        )
        if done:
            self.count(credit)
        return done

    def count(self, credit: Credit) -> None:
        """One more decision in the metrics."""
        attribution = credit.attribution
        self._metrics.attributions.labels(attribution.method, attribution.level).inc()

    async def late(
        self,
        queries: Queries,
        call_id: CallId,
        question: Question,
        arrived_at: datetime,
        now: datetime,
        *,
        again: bool = False,
    ) -> Credit | None:
        """Credit a call as of its arrival (Asterisk's time). None if it was credited meanwhile."""
        credit = await self.decide(queries, question, arrived_at - self._clocks.asterisk)
        done = await self.write(queries, call_id, credit, now, again=again)
        return credit if done else None

    # --- the past, summed up --------------------------------------------------------------------------

    def wish_to_settle(self, found: Dialled, t: datetime) -> None:
        """After a call on a number with many visits: have its next one find them summed up."""
        number_id, e164 = found.number_id, found.e164
        if number_id is None or e164 is None or len(found.candidates) <= SETTLE_FROM:
            return
        if number_id not in self._settling and not self._waiting.full():
            self._settling.add(number_id)
            self._waiting.put_nowait((number_id, e164, t))

    async def run(self, clock: Callable[[], datetime]) -> None:
        """Sum up the past of numbers: after calls on them, and where a visit has spoken again. For ever."""
        while True:
            try:
                async with asyncio.timeout(SETTLE_EVERY):
                    number_id, e164, t = await self._waiting.get()
                wanted = [(number_id, e164)]
                self._settling.discard(number_id)
            except TimeoutError:
                wanted, t = [], clock()
            try:
                wanted = wanted or await deadline(
                    arrivals.lacking_past(self._database, SETTLE_AT_ONCE),
                    PATIENCE,
                    what="past visits",
                )
                for number_id, e164 in wanted:
                    await deadline(self.settle(number_id, e164, t), PATIENCE, what="past visits")
            except StoreUnavailable as error:
                log.warning("past visits not summed up", reason=str(error))
            except Exception:
                # a look-up without sums is slower, and nothing else: not worth the process
                log.exception("past visits not summed up", numbers=[one[0] for one in wanted])

    async def settle(self, number_id: NumberId, e164: str, t: datetime) -> bool:
        """Sum up the past of one number as of `t`. False if a visit of it spoke meanwhile."""
        version = await arrivals.begin_past(self._database, number_id, t)
        found = await arrivals.dialled(self._database, [e164], "", "", t, most=None)
        # a thousand visits take some 10 ms, which no call shall wait for
        past = await asyncio.to_thread(settle, found.candidates, t, found.outages)
        return await arrivals.keep_past(self._database, number_id, version, past)
