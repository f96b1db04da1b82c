"""The routes that Asterisk keeps in its own database, for when the router does not answer.

    ct-did/<digits of the number>    {"t": …, "v": …}     the number's line, else the pool's, else the site's
    ct-trunk/<name>                  the trunk's own line

What should be there is compared with what is there after each login and every ten seconds, and with what was
there then whenever the database tells of a change, so that a change is in Asterisk within a second. The version
is a hash of the record, so a record that was not changed by us is not written again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from router.domain import numbering, routing
from router.domain.errors import StoreUnavailable
from router.domain.model import Target
from router.services.readiness import Check
from router.store import codes
from router.store import failsafe as store
from router.store.database import Database, deadline
from router.store.listening import listening
from router.telephony import variables
from router.telephony.manager import AmiLogin, AmiRefused, AmiUnavailable

log = structlog.get_logger(__name__)

# what somebody changed in Asterisk itself, and what the database did not tell of, is put right after this
EVERY_SECONDS = 10.0
# reading a hundred thousand records takes seconds: then not every ten
SECONDS_PER_RECORD = 0.01
AT_ONCE = 100
RETRY_SECONDS = 5.0
# a hundred thousand records take Asterisk some three seconds
LIST_SECONDS = 30.0
PATIENCE = 30.0
CHANGES = "routes"
# the connection on which changes are told is asked whether it still lives
ASK_EVERY_SECONDS = 10.0

Record = tuple[str, str]  # family, key


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one comparison changed."""

    kept: int
    written: int
    deleted: int


class FailsafeSync:
    """Keeps one Asterisk's records. `run` is a long-running task for the composition root."""

    def __init__(
        self,
        database: Database,
        records: AmiLogin,
        clock: Callable[[], datetime],
        *,
        every: float = EVERY_SECONDS,
    ) -> None:
        self._database = database
        self._records = records
        self._clock = clock
        self._every = every
        self._wanted = asyncio.Event()
        self._outcome: Outcome | None = None
        # what Asterisk held when it was last read or written; None: it has to be read
        self._held: dict[Record, str] | None = None
        self._logins = 0
        records.when_ready(self._another)

    def refresh(self) -> None:
        """To be called after a target, a number, a pool or a site was changed."""
        self._wanted.set()

    def _another(self) -> None:
        """Asterisk may hold anything now."""
        self._logins += 1
        self._held = None
        self._wanted.set()

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            await self._records.ready.wait()
            self._wanted.clear()
            pause = RETRY_SECONDS
            try:
                self._outcome = outcome = await self.sync(self._held)
                pause = max(self._every, outcome.kept * SECONDS_PER_RECORD)
            except (AmiUnavailable, AmiRefused, StoreUnavailable, ExceptionGroup) as error:
                self._held = None
                log.warning("fail-safe routes not compared", reason=str(error))
            try:
                await asyncio.wait_for(self._wanted.wait(), pause)
            except TimeoutError:
                self._held = None

    async def listen(self, dsn: str) -> None:
        """Refresh whenever the database tells that routes changed, whichever process changed them. For ever."""
        while True:
            ended = asyncio.Event()
            try:
                async with listening(dsn, CHANGES, self.refresh, ended.set) as listener:
                    # what was changed while nobody listened
                    self.refresh()
                    while not ended.is_set():
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(ended.wait(), ASK_EVERY_SECONDS)
                        await listener.ask()
            except StoreUnavailable as error:
                log.warning("changes of routes are not told", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)

    async def check(self) -> Check:
        """For readiness: does Asterisk hold the routes it would need without us?"""
        done = self._outcome
        if done is None:
            return Check(ok=False, words="fail-safe routes not compared yet")
        count = done.kept + done.written
        return Check(ok=True, words=f"{count} fail-safe routes", figures={"routes": count})

    async def sync(self, present: Mapping[Record, str] | None = None) -> Outcome:
        """Compare once with what is `present`, and put right what differs; without it Asterisk is read."""
        logins = self._logins
        desired = await deadline(self.desired(), PATIENCE, what="fail-safe routes")
        if present is None:
            present = {
                **await self._present(variables.FAMILY_NUMBER),
                **await self._present(variables.FAMILY_TRUNK),
            }
        wrong = [(at, value) for at, value in desired.items() if present.get(at) != value]
        gone = [at for at in present if at not in desired]
        for start in range(0, len(wrong), AT_ONCE):
            async with asyncio.TaskGroup() as group:
                for (family, key), value in wrong[start : start + AT_ONCE]:
                    group.create_task(
                        self._records.action("DBPut", Family=family, Key=key, Val=value)
                    )
        for family, key in gone:
            await self._records.action("DBDel", Family=family, Key=key)
        if wrong or gone:
            log.info("fail-safe routes written", written=len(wrong), deleted=len(gone))
        self._held = desired if logins == self._logins else None
        return Outcome(kept=len(desired) - len(wrong), written=len(wrong), deleted=len(gone))

    async def desired(self) -> dict[Record, str]:
        """What Asterisk should hold. A number without a line that may be called has no record;
        one whose code changes has a record in each form that is valid now."""
        found: dict[Record, str] = {}
        now = self._clock()
        changes = [row.change for row in await codes.changes(self._database, now)]
        for numbers, record, targets, ours in await store.routes(self._database):
            value = _value(targets, ours, record=record)
            if value is not None:
                family = variables.FAMILY_NUMBER
                found.update(
                    ((family, form.lstrip("+")), value)
                    for e164 in numbers
                    for form in numbering.forms(e164, changes, now)
                )
        for name, target, ours in await store.trunks(self._database):
            value = _value((target,), ours, record=True)
            if value is not None:
                found[variables.FAMILY_TRUNK, name] = value
        return found

    async def _present(self, family: str) -> dict[Record, str]:
        try:
            answer = await self._records.action("DBGetTree", LIST_SECONDS, Family=family)
        except AmiRefused:
            return {}  # there is no such family yet
        found = {}
        for message in answer:
            if message.get("event") == "DBGetTreeResponse":
                key = str(message.get("key", "")).removeprefix(f"/{family}/")
                found[family, key] = str(message.get("val", ""))
        return found


def _value(targets: tuple[Target, ...], ours: frozenset[str], *, record: bool) -> str | None:
    """The record of a route; None where no line of it may be called."""
    plan = routing.plan(targets, ours)
    if plan.target is None:
        return None
    try:
        return versioned(plan.target, record=record)
    except variables.Unwritable:
        log.exception("fail-safe route not written", target=plan.target.name)
        return None


def versioned(target: Target, *, record: bool) -> str:
    """The record of a target, with the hash of its content as its version."""
    plain = variables.record((target,), keep_audio=record, version="")
    version = hashlib.blake2b(plain.encode(), digest_size=4).hexdigest()
    return variables.record((target,), keep_audio=record, version=version)
