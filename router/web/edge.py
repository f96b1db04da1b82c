"""Around every request: errors become JSON, one line goes to the log, security headers to the answer."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from router.domain.errors import StoreUnavailable
from router.web.answers import HTTP_CODES, problem, refusal
from router.web.metrics import WebMetrics
from router.web.throttle import network_of

log = structlog.get_logger("router.web")

NOTES = web.RequestKey("notes", dict[str, Any])
CLIENT = web.RequestKey("client", str)

# Of the requests that come by the thousand and are all alike, every so many-th is logged, and every error.
SAMPLED = frozenset({"/v1/heartbeats", "/v1/leaves", "/health", "/ready", "/metrics"})
ONE_IN = 50

PUBLIC_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
STAFF_HEADERS = {
    **PUBLIC_HEADERS,
    # no inline script or style, nothing from elsewhere, in nobody's frame
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def edge(
    listener: str, metrics: WebMetrics, address_of: Callable[[web.Request], str]
) -> Middleware:
    """The one middleware of both listeners."""
    turn = itertools.count()
    line = None

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        nonlocal line
        began = time.perf_counter()
        notes: dict[str, Any] = {}
        request[NOTES] = notes
        request[CLIENT] = address_of(request)
        status = 499  # cancelled: nobody sees this but the log
        try:
            response = await _answered(request, handler, notes)
            status = response.status
            return response
        finally:
            seconds = time.perf_counter() - began
            resource = request.match_info.route.resource
            path = resource.canonical if resource else "(unknown)"
            metrics.answered(listener, path, status, seconds)
            if status >= 400 or path not in SAMPLED or next(turn) % ONE_IN == 0:
                # bound once, and as late as that: a logger is made as logging is set up by then
                line = line or log.bind(listener=listener)
                line.info(
                    "request",
                    method=request.method,
                    path=path,
                    status=status,
                    ms=round(seconds * 1000, 1),
                    network=network_of(request[CLIENT]),
                    **notes,
                )

    return middleware


async def _answered(
    request: web.Request, handler: Handler, notes: dict[str, Any]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as raised:
        headers = {"Allow": raised.headers["Allow"]} if "Allow" in raised.headers else None
        code = HTTP_CODES.get(raised.status, "refused")
        return problem(raised.status, code, raised.reason, headers=headers)
    except ConnectionError:
        notes["error"] = "the client went away"
        return problem(400, "gone", "the connection ended in mid-request")
    except Exception as error:
        answer = refusal(error)
        if answer is None:
            log.exception("request failed", path=request.path)
            return problem(500, "internal", "something went wrong here; it is in the log")
        notes["error"] = str(error)[:300] if isinstance(error, StoreUnavailable) else _code(error)
        return answer


def _code(error: Exception) -> str:
    return type(error).__name__


def with_headers(
    headers: Mapping[str, str],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A signal that gives every answer these headers, unless its handler has set them."""
    given = tuple(headers.items())

    async def signal(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = "call-router"  # aiohttp has put versions there
        for name, value in given:
            if name not in response.headers:
                response.headers[name] = value

    return signal
