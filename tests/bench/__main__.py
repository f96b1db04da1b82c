"""`make bench`, or python -m tests.bench [subject …] [SCALE=10000000 | FULL=1].

Subjects: snippet lookup handout agi web calls; all of them without a name. SCALE is the number of past
reservations (1,000,000); FULL=1 makes it ten million and takes several minutes more to load them.
Prints figures and ratios. The exit status says only whether everything could be measured.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import uvloop

from router.firstrun.postgres import PostgresServer
from tests.bench import agi, calls, handout, lookup, machine, snippet, stats, web, workload, world
from tests.bench.report import Report, say

SUBJECTS = ("snippet", "lookup", "handout", "agi", "web", "calls")
_DEFAULT_SCALE = 1_000_000
_FULL_SCALE = 10_000_000


class Bench:
    """One run: a PostgreSQL, the database with the long past, and the report."""

    def __init__(self, server: PostgresServer, scale: int) -> None:
        self.report = Report()
        self._server = server
        self._scale = scale
        self._past: str | None = None

    async def run(self, subject: str) -> None:
        """Measure one subject; what goes wrong is reported and the next one has its turn."""
        measures: dict[str, Callable[[], Awaitable[None]]] = {
            "snippet": lambda: snippet.measure(self.report, rounds=5),
            "lookup": self._lookup,
            "handout": lambda: handout.measure(self.report, self._server, self.past),
            "agi": self._agi,
            "web": self._web,
            "calls": self._calls,
        }
        began = time.monotonic()
        say(f"{subject}:")
        try:
            await measures[subject]()
        except Exception as error:  # noqa: BLE001  (one part that fails leaves the others to measure)
            traceback.print_exc()
            self.report.fail(subject, f"{type(error).__name__}: {error}")
        say(f"  ({time.monotonic() - began:.0f} s)")

    async def past(self) -> str:
        """The database with so many past reservations, made when first asked for."""
        if self._past is None:
            began = time.monotonic()
            company = world.Company(
                numbers=workload.NUMBERS,
                reservations=self._scale,
                held=workload.HELD,
                candidates=workload.CANDIDATES,
            )
            self._past = await world.create(self._server, "past", company, datetime.now(UTC))
            self.report.note(
                f"{self._scale:,} past reservations on {workload.NUMBERS:,} numbers, with their "
                f"sessions and {self._scale // 5:,} calls, loaded in {time.monotonic() - began:.0f} s"
            )
        return self._past

    async def _lookup(self) -> None:
        company = world.Company(
            numbers=workload.NUMBERS, reservations=20_000, candidates=workload.CANDIDATES
        )
        young = await world.create(self._server, "young", company, datetime.now(UTC))
        await lookup.measure(self.report, await self.past(), young)

    async def _agi(self) -> None:
        await agi.measure(self.report, await self.past(), rounds=4, seconds=2)

    async def _web(self) -> None:
        company = world.Company(numbers=workload.NUMBERS, held=workload.HELD, reservations=20_000)
        dsn = await world.create(self._server, "web", company, datetime.now(UTC))
        bare = await world.create(
            self._server, "bare", world.Company(numbers=workload.NUMBERS), datetime.now(UTC)
        )
        await web.measure(self.report, dsn, bare, rounds=3, seconds=2.5)

    async def _calls(self) -> None:
        rounds = 40 if self._scale >= _FULL_SCALE else 15
        await calls.measure(self.report, self._server, await self.past(), rounds=rounds)


async def bench(subjects: Sequence[str], scale: int) -> Report:
    """Run subjects one after the other on one PostgreSQL."""
    with world.postgres() as server:
        await world.prepare(server)
        run = Bench(server, scale)
        for subject in subjects:
            await run.run(subject)
        return run.report


def main(arguments: Sequence[str]) -> int:
    settings = dict(os.environ)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            settings[name] = value
    subjects = [argument for argument in arguments if "=" not in argument] or list(SUBJECTS)
    if unknown := sorted(set(subjects) - set(SUBJECTS)):
        say(f"unknown: {', '.join(unknown)}\n{__doc__}")
        return 2
    scale = _FULL_SCALE if settings.get("FULL") == "1" else _DEFAULT_SCALE
    scale = int(settings.get("SCALE") or scale)
    began = time.monotonic()
    os.sched_setaffinity(0, machine.ALL_CORES)
    neighbours = machine.Neighbours()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(bench(subjects, scale))
    report.note(
        f"others kept {neighbours.cores():.1f} of {os.cpu_count()} cores busy meanwhile; differences "
        f"below {stats.NOISE:.0%} are noise even on a quiet machine"
    )
    say(f"\n{report.text()}\n\n{time.monotonic() - began:.0f} s")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
