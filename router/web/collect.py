"""What the snippet calls: visits, heartbeats, leaves and taps.

Bodies come as application/json or as text/plain, which sendBeacon sends without asking first. Only the
site's own pages may read the answers: the service refuses other origins, and an answer carries
Access-Control-Allow-Origin only after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from router.domain.errors import OriginRefused, UnknownSession
from router.services.inventory import Inventory
from router.services.visits import Visits
from router.web import answers, visitor_cookie
from router.web.edge import CLIENT, NOTES
from router.web.endpoint import Endpoint
from router.web.metrics import WebMetrics
from router.web.page_answers import HeartbeatOut, VisitOut
from router.web.schemas import (
    HeartbeatBody,
    LeaveBody,
    TapBody,
    VisitBody,
)
from router.web.throttle import Throttle, network_of

M = TypeVar("M", bound=BaseModel)

BODY_AT_MOST = 16 * 1024
BODY_SECONDS = 5.0
PATHS = ("/v1/visits", "/v1/heartbeats", "/v1/leaves", "/v1/taps")
_MEDIA_TYPES = ("application/json", "text/plain", "application/octet-stream")
# how browsers say that a page is loaded ahead; the last two are what older ones say
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Moz")
_ERRORS = (400, 403, 404, 408, 413, 415, 429, 503)


async def read_body(request: web.Request, model: type[M]) -> M:
    """The body as a value. Raises BadBody, or the 408, 413, 415 it deserves."""
    if (request.content_length or 0) > BODY_AT_MOST:
        raise web.HTTPRequestEntityTooLarge(BODY_AT_MOST, request.content_length or 0)
    if request.content_type not in _MEDIA_TYPES or "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType
    if request.content.is_eof():
        data = await request.read()
    else:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                data = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
    if len(data) > BODY_AT_MOST:
        raise web.HTTPRequestEntityTooLarge(BODY_AT_MOST, len(data))
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise answers.from_validation(model, error) from None


class Collect:
    """The snippet's four calls and the browser's question before them."""

    def __init__(
        self,
        *,
        visits: Visits,
        inventory: Inventory,
        throttle: Throttle,
        metrics: WebMetrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._visits = visits
        self._inventory = inventory
        self._throttle = throttle
        self._metrics = metrics
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST",
                path="/v1/visits",
                handler=self.visit,
                summary="Which number shall this page show?",
                body=VisitBody,
                answers={200: VisitOut},
                errors=_ERRORS,
            ),
            Endpoint(
                method="POST",
                path="/v1/heartbeats",
                handler=self.heartbeat,
                summary="The page is still open; keep its number.",
                body=HeartbeatBody,
                answers={200: HeartbeatOut},
                errors=_ERRORS,
            ),
            Endpoint(
                method="POST",
                path="/v1/leaves",
                handler=self.leave,
                summary="The page went into the background, or was closed.",
                body=LeaveBody,
                answers={204: None},
                errors=_ERRORS,
            ),
            Endpoint(
                method="POST",
                path="/v1/taps",
                handler=self.tap,
                summary="The visitor tapped the number, or copied it.",
                body=TapBody,
                answers={204: None},
                errors=_ERRORS,
            ),
            *(
                Endpoint(
                    method="OPTIONS",
                    path=path,
                    handler=self.preflight,
                    summary="A browser asks before it sends application/json (CORS).",
                    answers={204: None},
                    errors=(403, 429, 503),
                )
                for path in PATHS
            ),
        ]

    async def visit(self, request: web.Request) -> web.StreamResponse:
        network = network_of(request[CLIENT])
        self._throttle.visit(network)
        body = await read_body(request, VisitBody)
        request[NOTES]["site"] = body.site
        self._throttle.site(body.site)
        origin = request.headers.get("Origin", "")
        remembered = body.consent == "granted"
        asked = body.request(
            origin=origin,
            user_agent=_user_agent(request),
            address=request[CLIENT],
            cookie=visitor_cookie.read(request, body.site) if remembered else None,
        )
        answer = await self._visits.visit(asked, self._clock())
        request[NOTES]["how"] = answer.how
        self._metrics.visit(body.site, answer.how)
        told = answers.json_answer(VisitOut.of(answer))
        visitor_cookie.write(
            request,
            told,
            site_key=body.site,
            domain=answer.cookie_domain,
            visitor=answer.visitor if remembered else None,
        )
        return _readable(told, origin)

    async def heartbeat(self, request: web.Request) -> web.StreamResponse:
        origin, body = await self._signal(request, HeartbeatBody)
        try:
            answer = await self._visits.heartbeat(body.beat(origin=origin), self._clock())
        except UnknownSession as error:
            return _refused(error, origin)
        request[NOTES]["how"] = answer.how
        return _readable(answers.json_answer(HeartbeatOut.of(answer)), origin)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        origin, body = await self._signal(request, LeaveBody)
        return await self._told(
            self._visits.leave(body.leave(origin=origin), self._clock()), origin
        )

    async def tap(self, request: web.Request) -> web.StreamResponse:
        origin, body = await self._signal(request, TapBody)
        return await self._told(self._visits.tap(body.tap(origin=origin), self._clock()), origin)

    async def _signal(self, request: web.Request, model: type[M]) -> tuple[str, M]:
        self._throttle.signal(network_of(request[CLIENT]))
        body = await read_body(request, model)
        return request.headers.get("Origin", ""), body

    async def _told(self, work: Awaitable[None], origin: str) -> web.StreamResponse:
        try:
            await work
        except UnknownSession as error:
            return _refused(error, origin)
        return _readable(web.Response(status=204), origin)

    async def preflight(self, request: web.Request) -> web.StreamResponse:
        """May a page of this origin send JSON here? Which site it is for is not known yet."""
        self._throttle.signal(network_of(request[CLIENT]))
        origin = request.headers.get("Origin", "")
        # a browser writes any other host in its ASCII form
        if not (origin and origin.isascii() and await self._inventory.origin_known(origin)):
            raise OriginRefused
        answer = _readable(web.Response(status=204), origin)
        answer.headers["Access-Control-Allow-Methods"] = "POST"
        answer.headers["Access-Control-Allow-Headers"] = "Content-Type"
        answer.headers["Access-Control-Max-Age"] = "600"
        return answer


def _user_agent(request: web.Request) -> str:
    """Nobody's, as a robot's, where a browser loads the page before anybody wants to see it."""
    early = " ".join(request.headers.get(name, "") for name in _PURPOSES).lower()
    if "prefetch" in early or "prerender" in early:
        return ""
    return request.headers.get("User-Agent", "")[:512]


def _readable(answer: web.Response, origin: str) -> web.Response:
    """Only after the origin was found to be one of the site's."""
    answer.headers["Access-Control-Allow-Origin"] = origin
    # the only cookie of this listener is the visitor's, and the answer says what is in it
    answer.headers["Access-Control-Allow-Credentials"] = "true"
    answer.headers["Vary"] = "Origin"
    return answer


def _refused(error: UnknownSession, origin: str) -> web.Response:
    """A page of the site learns that its session is unknown, and begins another."""
    return _readable(answers.problem(404, "unknown_session", str(error)), origin)
