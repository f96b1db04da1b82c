"""Two hundred visitors, each with a log of its own of the numbers it was told, and the check of the logs."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.adversity.fire_router import Clock
from tests.company import DEFAULT

TAIL = timedelta(seconds=60)
HEARTBEAT = timedelta(seconds=30)


@dataclass
class Claim:
    """A visitor was told at `since` that `number` is his, and that nobody else is shown it before
    `until`."""

    visitor: UUID
    number: str
    since: datetime
    until: datetime


@dataclass
class Log:
    claims: list[Claim] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    tabs_that_differ: list[tuple[str, str]] = field(default_factory=list)


class Gone(Exception):
    """The router this was asked of does not live any more."""


class Crowd:
    """Visitors who ask any of the routers; `ports` of those that were killed are forgotten."""

    def __init__(self, ports: list[int], clock: Clock, speed: float, seed: int) -> None:
        self.ports = ports
        self.log = Log()
        self._clock = clock
        self._speed = speed
        self._chance = random.Random(seed)

    async def come(self, visitors: int, seconds: float) -> Log:
        """So many at once, each followed by the next, for so long."""
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for _ in range(visitors):
                group.create_task(self._seat(until))
        return self.log

    async def _seat(self, until: float) -> None:
        while time.monotonic() < until:
            try:
                await self._visitor()
            except Gone:
                self.log.answers["gone"] += 1
            await self._pause(timedelta(seconds=self._chance.uniform(0, 30)))

    async def _visitor(self) -> None:
        visitor = uuid4()
        page = await self._open(visitor)
        if page["how"] == "default":
            await self._pause(HEARTBEAT)
            return
        claim = self._claims(visitor, page)
        for _ in range(self._chance.randint(1, 3)):
            await self._pause(HEARTBEAT)
            asked = {"session": page["session"], "number": claim.number}
            beat = await self._ask("heartbeat", **asked)
            if beat["number"] != claim.number:
                # his earlier number is his until it was said to be; only he may not be shown another's
                if beat["how"] == "default":
                    return
                claim = self._claims(visitor, beat)
            else:
                # without one it was taken over: the digits stay, and are somebody else's
                claim.until = self._until(beat)
        if self._chance.random() < 0.9:
            # said before it is asked: whether or not the answer comes, he has left
            claim.until = min(claim.until, self._clock() + TAIL)
            await self._ask("leave", session=page["session"])

    async def _open(self, visitor: UUID) -> dict[str, Any]:
        """Every fifth opens two tabs at once."""
        if self._chance.random() >= 0.2:
            return await self._ask("visit", visitor=str(visitor))
        async with asyncio.TaskGroup() as group:
            tabs = [
                group.create_task(self._or_gone(self._ask("visit", visitor=str(visitor))))
                for _ in range(2)
            ]
        answered = [tab.result() for tab in tabs if tab.result() is not None]
        if not answered:
            raise Gone
        numbers = [a["number"] for a in answered if a is not None and a["number"] != DEFAULT]
        if len(set(numbers)) > 1:
            self.log.tabs_that_differ.append((numbers[0], numbers[1]))
        for answer in answered:
            if answer is not None and answer["how"] != "default":
                return answer
        assert answered[0] is not None
        return answered[0]

    async def _or_gone(self, asking: Any) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = await asking
        except Gone:
            return None
        return answer

    def _claims(self, visitor: UUID, answer: dict[str, Any]) -> Claim:
        claim = Claim(
            visitor=visitor,
            number=answer["number"],
            since=self._clock(),
            until=self._until(answer),
        )
        self.log.claims.append(claim)
        return claim

    def _until(self, answer: dict[str, Any]) -> datetime:
        until = answer["until"]
        return self._clock() if until is None else datetime.fromisoformat(until)

    async def _ask(self, ask: str, **values: str) -> dict[str, Any]:
        port = self._chance.choice(self.ports)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(json.dumps({"ask": ask, **values}).encode() + b"\n")
            line = await reader.readline()
            writer.close()
        except OSError as error:
            raise Gone from error
        if not line:
            raise Gone
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            self.log.refused.append(answer["refused"])
            raise Gone
        self.log.answers[answer.get("how", ask)] += 1
        return answer

    async def _pause(self, duration: timedelta) -> None:
        await asyncio.sleep(duration.total_seconds() / self._speed)


def doubles(claims: list[Claim]) -> list[tuple[Claim, Claim]]:
    """Pairs of visitors who were told the same number for the same time."""
    by_number: defaultdict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_number[claim.number].append(claim)
    found = []
    for told in by_number.values():
        told.sort(key=lambda claim: claim.since)
        found += [
            (earlier, later)
            for earlier, later in itertools.pairwise(told)
            if later.since < earlier.until and earlier.visitor != later.visitor
        ]
    return found
