"""Calls: one arrives and is answered; what Asterisk says of it afterwards completes it.

    arrive     Asterisk asks: write the call down and look up at once, decide, answer (arriving.py); then write
               down what was decided (crediting.py)
    absorb     Asterisk tells, over AMI or in its file: store, fold, bring the call up to date, and credit it
               if nobody was there when it came
    reconcile  calls on record that Asterisk no longer has, and that never ended, are closed as lost

`run` is a long-running task for the composition root.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from router.domain import phone
from router.domain.callflow import LOST
from router.domain.model import Arrival, CallEvent, Route
from router.services.arriving import Announced, Desk
from router.services.attributing import Attributor, Question
from router.services.batching import OnDemand
from router.services.callrecord import Change, Recorder
from router.services.clocks import Clocks
from router.services.codes import Codes
from router.services.crediting import Crediting
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.services.regions import Regions
from router.services.upkeep import Upkeep
from router.store import arrivals, decisions
from router.store import calls as store
from router.store.database import Database, deadline

log = structlog.get_logger(__name__)

PATIENCE = 0.5
# batches of calls at once, where one takes long; each has a connection
LANES = 5
# nobody waits for these, but one that hangs must not hold up the rest for ever
ABSORB_PATIENCE = 10.0
# what stopping waits for decisions that are being written
STOP_SECONDS = 1.0
# as long as arriving calls have the router for themselves
REST_SECONDS = 0.05
# so often PostgreSQL plans a statement for the values of the moment
PLANNED_ANEW = 5
_REMEMBERED = 20_000
# younger calls may be on their way into Asterisk's list of channels
_SETTLED_CALL = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far a host's file of call events has been read. The file is known by its inode and, since that
    may be used again, by `head`, the hash of its first line (empty: not known)."""

    host: str
    inode: int
    head: str
    read_bytes: int


class Calls:
    """One for each router process. Raises StoreUnavailable where the database does not answer in time."""

    def __init__(
        self,
        database: Database,
        live: Live,
        upkeep: Upkeep,
        metrics: CallMetrics,
        clocks: Clocks,
        *,
        codes: Codes | None = None,
        regions: Regions | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._database = database
        self._live = live
        self._upkeep = upkeep
        self._metrics = metrics
        self._clocks = clocks
        self._patience = patience
        self._attributor = Attributor(
            database, metrics, clocks, codes or Codes(database), regions or Regions(database)
        )
        self._crediting = Crediting(database, self._attributor, live)
        self._desk: OnDemand[Announced, Route] = OnDemand(
            Desk(database, self._attributor, self._crediting, upkeep, clocks).serve,
            what="call arrival",
            lanes=LANES,
            seconds=patience,
        )
        self._recorder = Recorder(self._attributor, live, metrics, self._crediting.holds)
        self._absorbing = asyncio.Lock()
        self._arriving = 0
        self._at_rest = asyncio.Event()
        # what was stored already: each event is heard twice, over AMI and from the file
        self._heard: OrderedDict[bytes, None] = OrderedDict()

    async def run(self, clock: Callable[[], datetime]) -> None:
        """Work that no call waits for; to be run for ever. Stopped, it first writes what was decided."""
        try:
            await self._attributor.run(clock)
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self.settled()), STOP_SECONDS)

    async def settled(self) -> None:
        """Returns once what was decided about calls answered by now is written down."""
        await self._crediting.settled()

    async def warm(self, now: datetime, connections: int) -> None:
        """Do on each connection what the first calls on it would have to wait for: PostgreSQL keeps a plan
        for all of a statement's values when it has made five for some."""
        phone.caller("+74951234567")
        question = Question(did="", raw_did="", caller="", trunk="")
        kept = self._database.kept
        for work in (
            lambda: self._attributor.decide(kept, question, now),
            lambda: decisions.warm(kept, now),
        ):
            for _ in range(PLANNED_ANEW + 1):
                await asyncio.gather(*(work() for _ in range(connections)))

    async def answering(self) -> None:
        """Returns once the database answers; for whoever left it alone because it did not."""
        await deadline(store.database_time(self._database), self._patience, what="database")

    async def settle(self, e164: str, now: datetime) -> bool:
        """Sum up the past visits of one number now, instead of after its next call."""
        found = await arrivals.dialled(self._database, [e164], "", "", now)
        if found.number_id is None:
            return False
        return await self._attributor.settle(found.number_id, e164, now)

    async def arrive(self, arrival: Arrival, now: datetime) -> Route:
        """The route of a call that has just come; it has been written down by then."""
        began = time.perf_counter()
        self._arriving += 1
        self._at_rest.clear()
        try:
            route = await self._desk.ask(Announced(arrival=arrival, at=now))
        finally:
            self._arriving -= 1
            if not self._arriving:
                self._at_rest.set()
        self._metrics.lookup.observe(time.perf_counter() - began)
        return route

    async def at_rest(self) -> None:
        """For work that can wait: returns once no call waits for its route, or in a moment all the same."""
        if self._arriving:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._at_rest.wait(), REST_SECONDS)

    async def attribute_again(self, linkedid: str, now: datetime) -> bool:
        """Decide anew about a call as of its arrival; the earlier decision stays beside the new one."""
        async with self._database.transaction() as queries:
            row = (await store.told(queries, [linkedid]))[0].row
            if row is None:
                return False
            question = Question(
                did=row.did.lstrip("+"),
                raw_did=row.did,
                caller=row.caller,
                trunk=row.trunk,
                linkedid=linkedid,
            )
            credit = await self._attributor.late(
                queries, row.id, question, row.arrived_at, now, again=True
            )
        return credit is not None

    async def absorb(
        self,
        events: Sequence[CallEvent],
        *,
        source: str,
        now: datetime,
        position: Position | None = None,
    ) -> None:
        """Store events, each once, bring their calls up to date, tell what changed.

        The events are stored by a commit of their own; where there is a position in a file, it moves with the
        last commit. After a crash in between they come again, and their calls are folded again.

        `source` is ``ami``, ``file`` or ``resync``. Events in any order, any number of times.
        """
        async with self._absorbing:
            await self.at_rest()
            fresh = [event for event in events if event.digest not in self._heard]
            changes = await deadline(
                self._absorb(fresh, now, position), ABSORB_PATIENCE, what="call events"
            )
            self._remember(fresh)
        self._metrics.events.labels(source).inc(len(fresh))
        for change in changes:
            self._recorder.tell(change)

    async def _absorb(
        self, events: Sequence[CallEvent], now: datetime, position: Position | None
    ) -> list[Change]:
        await self._upkeep.ensure(now)
        place = None
        if position is not None:
            place = store.Place(
                host=position.host,
                inode=position.inode,
                head=position.head,
                read_bytes=position.read_bytes,
                now=now,
            )
        kept = self._database.kept
        calls = await store.hear(kept, events) if events else []
        # what a call needs beside its facts is written together with the place, or not at all
        if place is None or all(call.row and call.row.attribution_id for call in calls):
            return await self._recorder.bring_up_to_date(kept, calls, now, place)
        async with self._database.transaction() as queries:
            return await self._recorder.bring_up_to_date(queries, calls, now, place)

    def _remember(self, events: Sequence[CallEvent]) -> None:
        for event in events:
            self._heard[event.digest] = None
        while len(self._heard) > _REMEMBERED:
            self._heard.popitem(last=False)

    async def position(self, host: str) -> Position | None:
        """How far a host's file has been read."""
        found = await deadline(
            store.cel_position(self._database, host), ABSORB_PATIENCE, what="position in the file"
        )
        if found is None:
            return None
        inode, head, read_bytes = found
        return Position(host=host, inode=inode, head=head, read_bytes=read_bytes)

    async def reconcile(self, alive: Collection[str], host: str, now: datetime) -> list[str]:
        """Close calls of `host` that it has no more and that never ended. Returns their linkedids.

        To be asked only after its file was read to the end, or calls that ended in order look lost for
        as long as it takes to read on.
        """
        moment = now + self._clocks.asterisk
        unfinished = await deadline(
            store.unfinished(self._database, moment - _SETTLED_CALL),
            ABSORB_PATIENCE,
            what="unfinished calls",
        )
        lost = [one for one in unfinished if one not in alive and _of_host(one, host)]
        events = [
            CallEvent(
                linkedid=linkedid,
                uniqueid=linkedid,
                kind=LOST,
                at=moment,
                data={},
                digest=hashlib.blake2b(f"{LOST} {linkedid}".encode(), digest_size=16).digest(),
            )
            for linkedid in lost
        ]
        if events:
            log.warning("calls lost", host=host, count=len(lost), linkedids=lost[:20])
            await self.absorb(events, source="resync", now=now)
        return lost


def _of_host(linkedid: str, host: str) -> bool:
    """``pbx1-1795448405.0`` is a call of pbx1; without a systemname there is one host only."""
    prefix, dash, _ = linkedid.rpartition("-")
    return not dash or prefix == host
