"""A router process without HTTP: JSON lines over a socket, around `Visits` or something worse.

    python -m tests.adversity.fire_router careful|naive DSN BEGAN SPEED STEP

`BEGAN` is a moment of this machine's clock (seconds since 1970) at which the visitors' clock started; that
one runs `SPEED` times as fast, so that numbers change hands often. This router's own clock is set forward by
`STEP` seconds of theirs every four of ours, and back again two later. Ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from router.domain.errors import CallRouterError
from router.services.upkeep import OUTAGE, Upkeep
from router.services.visits import Visits
from router.store.database import Database
from tests.company import DEFAULT, a_heartbeat, a_leave, a_visit

Answer = dict[str, Any]
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clock:
    def __init__(self, began: float, speed: float, step: float = 0) -> None:
        self._began = began
        self._speed = speed
        self._step = step

    def __call__(self) -> datetime:
        passed = time.time() - self._began
        step = self._step if passed % 4 >= 2 else 0
        return START + timedelta(seconds=passed * self._speed + step)


class Careful:
    """What a router does."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    async def visit(self, asked: Answer, now: datetime) -> Answer:
        answer = await self._visits.visit(a_visit(visitor=UUID(asked["visitor"])), now)
        return {
            "session": str(answer.session),
            "number": answer.number,
            "how": answer.how,
            "until": answer.valid_until,
        }

    async def heartbeat(self, asked: Answer, now: datetime) -> Answer:
        beat = a_heartbeat(UUID(asked["session"]), asked["number"])
        answer = await self._visits.heartbeat(beat, now)
        number = answer.number or asked["number"]
        return {"number": number, "how": answer.how, "until": answer.valid_until}

    async def leave(self, asked: Answer, now: datetime) -> Answer:
        await self._visits.leave(a_leave(UUID(asked["session"])), now)
        return {}


class Naive:
    """What most others do: look for a free number, then write down whose it is."""

    def __init__(self, database: Database, hold: timedelta) -> None:
        self._pool = database._pool
        self._hold = hold

    async def visit(self, asked: Answer, now: datetime) -> Answer:
        key = uuid4()
        free = await self._pool.fetchrow(
            "SELECT id, e164, reservation_id, reserved_until FROM number WHERE reserved_until <= $1 "
            "ORDER BY reserved_until, id LIMIT 1",
            now,
        )
        if free is None:
            return {"session": str(key), "number": DEFAULT, "how": "default", "until": None}
        session = await self._pool.fetchval(
            "INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, "
            "seen_at, input_at, landing_url, referrer, source, medium, campaign, term, content, "
            "click_ids, shown) VALUES (1, 1, $1, $2, 1, $3, $3, $3, '', '', '', '', '', '', '', '{}', '') "
            "RETURNING id",
            key,
            uuid4(),
            now,
        )
        await self._pool.execute(
            "UPDATE reservation SET ended_at = greatest(started_at, $2), end_reason = 'expired' "
            "WHERE id = $1",
            free["reservation_id"],
            free["reserved_until"],
        )
        reservation = await self._pool.fetchval(
            "INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at) "
            "VALUES (1, $1, $2, 1, $3) RETURNING id",
            free["id"],
            session,
            now,
        )
        until = now + self._hold
        await self._pool.execute(
            "UPDATE number SET holder_id = $2, reservation_id = $3, reserved_until = $4 WHERE id = $1",
            free["id"],
            session,
            reservation,
            until,
        )
        return {"session": str(key), "number": free["e164"], "how": "free", "until": until}

    async def heartbeat(self, asked: Answer, now: datetime) -> Answer:
        until = now + self._hold
        await self._pool.execute(
            "UPDATE number SET reserved_until = $2 WHERE e164 = $1", asked["number"], until
        )
        return {"number": asked["number"], "how": "kept", "until": until}

    async def leave(self, asked: Answer, now: datetime) -> Answer:
        return {}


async def main(kind: str, dsn: str, began: float, speed: float, step: float) -> None:
    clock = Clock(began, speed, step)
    database = await Database.connect(dsn)
    upkeep = Upkeep(database, outage=OUTAGE * speed)
    visits = Visits(database, upkeep)
    router: Any = Careful(visits) if kind == "careful" else Naive(database, timedelta(seconds=60))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = json.loads(await reader.readline())
        handler: Callable[[Answer, datetime], Awaitable[Answer]] = getattr(router, asked["ask"])
        try:
            answer = await handler(asked, clock())
        except CallRouterError as error:
            answer = {"refused": repr(error)}
        writer.write(json.dumps(answer, default=datetime.isoformat).encode() + b"\n")
        await writer.drain()
        writer.close()

    async def sweep() -> None:
        while True:
            await upkeep.pulse(clock())
            await upkeep.sweep(clock())
            await asyncio.sleep(0.1)

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(visits.run())]
        if kind == "careful":
            tasks.append(group.create_task(sweep()))
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:6])))
