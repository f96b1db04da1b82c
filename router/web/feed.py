"""The live feed: changes of calls as server-sent events.

Each event is named `call` and carries ``{"ref": …, "change": …}``, of the reader's organisation only. A feed begins with `hello`; whoever
reads it should then read the list, since nothing is kept for those who were away: a Last-Event-ID is
understood and needs nothing more. A quiet feed ticks every 15 s; as often the reader's right to listen is
looked at again, however much there is to tell.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from router.domain.errors import StoreUnavailable
from router.services.live import Change, Live, Subscription
from router.web.auth import ACTOR, Guardian
from router.web.edge import NOTES
from router.web.endpoint import Endpoint
from router.web.throttle import TooMany

PING_SECONDS = 15.0
SEND_SECONDS = 20.0
RETRY_MS = 2000


class Feed:
    def __init__(self, live: Live, guardian: Guardian, clock: Callable[[], datetime]) -> None:
        self._live = live
        self._guardian = guardian
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/v1/feed",
                handler=self.feed,
                summary="Changes of calls as they happen (server-sent events).",
                answers={200: "text/event-stream"},
                errors=(401, 429, 503),
            )
        ]

    async def feed(self, request: web.Request) -> web.StreamResponse:
        with self._live.subscription() as subscription:
            stream = EventSourceResponse(ping_interval=PING_SECONDS, send_timeout=SEND_SECONDS)
            await stream.prepare(request)
            async with stream:
                try:
                    await stream.send(self._now(), event="hello", retry=RETRY_MS)
                    await self._tell(request, stream, subscription)
                except (ConnectionError, TimeoutError):
                    # it went away, or did not read for 20 s: it will come back by itself
                    request[NOTES]["ended"] = "reader went away"
            return stream

    async def _tell(
        self, request: web.Request, stream: EventSourceResponse, subscription: Subscription
    ) -> None:
        loop = asyncio.get_running_loop()
        look_again = loop.time() + PING_SECONDS
        while stream.is_connected():
            change = await subscription.next(max(0.0, look_again - loop.time()))
            if change is None and subscription.ended:
                request[NOTES]["ended"] = "too slow, or this router stops"
                return
            if loop.time() >= look_again:
                if not await self._still_welcome(request):
                    request[NOTES]["ended"] = "signed out"
                    return
                await stream.send(self._now(), event="tick")
                look_again = loop.time() + PING_SECONDS
            if (
                change is not None
                and change.change.get("organisation_id") == request[ACTOR].organisation_id
            ):
                await stream.send(_event(change), event="call", id=str(change.number))

    def _now(self) -> str:
        return json.dumps({"now": self._clock().isoformat()})

    async def _still_welcome(self, request: web.Request) -> bool:
        try:
            return await self._guardian.actor(request) == request[ACTOR]
        except (StoreUnavailable, TooMany):
            # a database that is away ends nobody's watch; calls go on ringing
            return True


def _event(change: Change) -> str:
    told = {name: value for name, value in change.change.items() if name != "organisation_id"}
    return json.dumps({"ref": change.ref, "change": told}, default=str)
