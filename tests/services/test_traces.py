"""The traces of the policies, through the services and the database that serve visitors.

A trace says when a page fell idle or silent; a real page speaks every so often, and what it does follows. So
before each event every page that is still open says what it would have said by then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from router.domain.model import Touch
from router.domain.visitstate import phase
from router.services.landing import Landing
from router.services.plan import Ask, Shown
from router.services.upkeep import Upkeep
from router.services.visits import Visits
from router.store import rings, sessions
from router.store.database import Database
from router.store.sessions import Beat
from tests.company import DEFAULT, SITE, APool, a_heartbeat, a_tap, e164, set_up

_TRACES = {
    trace["name"]: trace
    for trace in json.loads((Path(__file__).parents[1] / "vectors" / "traces.json").read_text())[
        "traces"
    ]
}
# The service has one shortlist; detaching a number after two weeks is not the hand-out's.
NAMES = [
    name
    for name, trace in _TRACES.items()
    if "shortlist" not in trace["params"] and name != "mixed-mango-0"
]
_ENDS = ("idle", "hide", "close", "lost")
LOST, IDLE, EVERY = (timedelta(seconds=seconds) for seconds in (75, 30, 60))


@dataclass
class Visitor:
    """One of a trace's, and what is still to happen to him."""

    id: UUID
    events: list[Mapping[str, Any]]
    session: UUID | None = None
    open: bool = False
    idle: bool = False
    number: str = ""
    said_last: datetime | None = None
    device: str | None = None


@dataclass
class World:
    database: Database
    visits: Visits
    began: datetime
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def at(self, event: Mapping[str, Any]) -> datetime:
        return self.began + timedelta(seconds=event["t"])

    async def speak(self, now: datetime) -> None:
        """Every open page says what it would have said by `now`."""
        beats: dict[datetime, list[Beat]] = {}
        for visitor in self.visitors.values():
            if not visitor.open or visitor.session is None:
                continue
            end = next((e for e in visitor.events if e["ev"] in _ENDS), None)
            silent_from = idle_from = now
            if end is not None and end["ev"] == "idle":
                idle_from = min(now, self.at(end) - IDLE)
            elif end is not None and end["ev"] == "lost":
                silent_from = min(now, self.at(end) - LOST)
            assert visitor.said_last is not None
            while visitor.said_last < silent_from:
                moment = min(visitor.said_last + EVERY, silent_from)
                spoke = None if visitor.idle else min(moment, idle_from)
                beats.setdefault(moment, []).append(
                    Beat(visitor.session, self.site_id, spoke, None)
                )
                visitor.said_last = moment
        for moment, spoken in sorted(beats.items()):
            await sessions.hear(self.database.kept, spoken, moment)

    site_id: Any = 1

    async def visit(self, name: str, event: Mapping[str, Any], now: datetime) -> Shown:
        visitor = self.visitors[name]
        view = await self.visits.site(SITE, now)
        landing = Landing(
            touch=Touch(source=event["src"], medium="", campaign=event.get("camp") or ""),
            url="",
            referrer="",
            device=event["dev"],
            region=event["reg"],
            **({"rate": event["rate"]} if "rate" in event else {}),
        )
        shown = await self.visits._desk.ask(
            Ask(view=view, visitor=visitor.id, seen_before=False, landing=landing, now=now)
        )
        visitor.session, visitor.number = shown.session, shown.number
        visitor.open, visitor.idle, visitor.said_last = True, False, now
        return shown

    async def resume(self, name: str, now: datetime) -> str:
        visitor = self.visitors[name]
        assert visitor.session is not None
        answer = await self.visits.heartbeat(a_heartbeat(visitor.session, visitor.number), now)
        visitor.number = answer.number or visitor.number
        visitor.open, visitor.idle, visitor.said_last = True, False, now
        return visitor.number

    async def ends(self, name: str, kind: str, now: datetime) -> None:
        visitor = self.visitors[name]
        assert visitor.session is not None
        if kind == "idle":
            visitor.idle = True
            beat = Beat(visitor.session, self.site_id, None, None)
            await sessions.hear(self.database.kept, [beat], now)
            visitor.said_last = now
            return
        visitor.open = False
        if kind != "lost":
            leave: Any = kind
            beat = Beat(visitor.session, self.site_id, None, leave)
            await sessions.hear(self.database.kept, [beat], now)

    async def pages(self) -> dict[str, str]:
        rows = await self.database._pool.fetch("SELECT key, shown FROM session")
        shown = {row["key"]: row["shown"] for row in rows}
        return {
            name: shown[visitor.session]
            for name, visitor in self.visitors.items()
            if visitor.session is not None
        }

    async def reserved(self, now: datetime, numbers: int) -> list[Any]:
        rows = await self.database._pool.fetch(
            "SELECT number.e164, number.reserved_until, session.* FROM number "
            "LEFT JOIN session ON session.id = holder_id WHERE number.pool_id IS NOT NULL"
        )
        found = {}
        for row in rows:
            until = row["reserved_until"]
            if row["id"] is None or until <= now:
                found[row["e164"]] = None
            elif phase(rings.times(row), now)[0] == "active":
                found[row["e164"]] = "active"
            else:
                found[row["e164"]] = (until - self.began).total_seconds()
        return [found[e164(n + 1)] for n in range(numbers)]


def _expected(number: int | str | None) -> str:
    return DEFAULT if number is None or number == "default" else e164(int(number) + 1)


@pytest.mark.parametrize("name", NAMES)
async def test_a_trace(
    database: Database, visits: Visits, upkeep: Upkeep, now: datetime, name: str
) -> None:
    """Each visit is shown the number that the trace says, whether the sweep has been there or not."""
    trace = _TRACES[name]
    seconds = trace["params"].get("T", 1800)
    pool = APool(
        policy=trace["policy"], numbers=range(1, trace["n"] + 1), reservation_seconds=seconds
    )
    await set_up(database, now, pool)
    if trace["policy"] == "mango":
        await database._pool.executemany(
            "INSERT INTO number (organisation_id, e164, standing, created_at) "
            "VALUES (1, $1, 'shared', $2)",
            [(e164(n), now) for n in range(1, 20)],
        )
    world, chance = World(database, visits, now), Random(name)
    for event in trace["events"]:
        if event["ev"] == "visit":
            mine = [e for e in trace["events"] if e.get("v") == event["v"]]
            world.visitors[event["v"]] = Visitor(uuid4(), mine)
    for event in trace["events"]:
        moment, kind = world.at(event), event["ev"]
        who = world.visitors.get(event.get("v", ""))
        await world.speak(moment)
        if who is not None:
            who.events.remove(event)
        if chance.random() < 0.3:
            await upkeep.sweep(moment)
        expect = event.get("expect", {})
        match kind:
            case "visit":
                shown = await world.visit(event["v"], event, moment)
                assert shown.number == _expected(expect["number"]), event
                # the clock of the growth is not the trace's
                assert expect["how"] != "kept"
            case "resume":
                assert await world.resume(event["v"], moment) == _expected(expect["number"]), event
            case "tap":
                assert who is not None
                assert who.session is not None
                await visits.tap(a_tap(who.session), moment)
            case "query":
                reserved = expect["reserved"]
                assert await world.reserved(moment, len(reserved)) == reserved, event
                pages = await world.pages()
                assert pages == {v: _expected(n) for v, n in expect["on_page"].items()}, event
            case "call":
                pass
            case _:
                await world.ends(event["v"], kind, moment)
