"""Listens to a running instance, in threads of its own: calls by the feed, visits by the database."""

import asyncio
import json
import queue
import threading
import time
from datetime import datetime

from router.domain.errors import StoreUnavailable
from router.firstrun import calls_api, http_client
from router.firstrun.events import Event
from router.store import firstrun as store
from router.store.database import Database, deadline

_PAUSE_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0


def now() -> datetime:
    """This machine's time, in its own zone: for a person at the terminal."""
    return datetime.now().astimezone()


def start(events: queue.Queue[Event], *, staff_url: str, token: str, database_url: str) -> None:
    """Put an event into the queue for each change of a call and each new visit, for ever.

    The threads end with the process. While the router or the database is away nothing is told;
    the supervisor says so and starts it again.
    """
    for listen in (
        lambda: _calls(events, staff_url, token),
        lambda: asyncio.run(_visits(events, database_url)),
    ):
        threading.Thread(target=listen, name="watch", daemon=True).start()


def _calls(events: queue.Queue[Event], staff_url: str, token: str) -> None:
    while True:
        try:
            for name, text in http_client.events(f"{staff_url}/v1/feed", token=token):
                if name == "call":
                    ref = json.loads(text)["ref"]
                    call = calls_api.explain(staff_url, token, ref)
                    events.put(Event(at=now(), what=call))
        except http_client.RequestFailed:
            time.sleep(_PAUSE_SECONDS)


async def _visits(events: queue.Queue[Event], database_url: str) -> None:
    newest: int | None = None
    while True:
        try:
            newest = await _visits_of_a_connection(events, database_url, newest)
        except StoreUnavailable:
            await asyncio.sleep(_PAUSE_SECONDS)


async def _visits_of_a_connection(
    events: queue.Queue[Event], database_url: str, newest: int | None
) -> int:
    """Until the connection fails; the newest visit that was told is what goes on from there."""
    # At least none: asyncpg would go on trying, loudly, to restore a connection it must keep.
    database = await Database.connect(database_url, connections=1, at_least=0, name="first run")
    try:
        last = await store.newest_visit(database) if newest is None else newest
        while True:
            asked = store.visits_after(database, last)
            try:
                found = await deadline(asked, _PATIENCE_SECONDS, what="new visits")
            except StoreUnavailable:
                return last
            for visit in found:
                events.put(Event(at=now(), what=visit))
                last = visit.id
            await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        await database.close()
