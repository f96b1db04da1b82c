"""Serves the snippet: at a moving address for everybody, and each version for ever at one of its own.

What is served is the readable source without comments and white space. The moving address is cached for
five minutes, then asked for by its ETag; a version's address names what it holds and never changes, so that
pages may carry its integrity hash. Any site may embed both.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import structlog
from aiohttp import web

from router.domain.errors import NotFound, StoreUnavailable
from router.services.snippets import Snippets
from router.web.edge import CLIENT
from router.web.endpoint import Endpoint
from router.web.minify import minify
from router.web.throttle import Throttle, network_of

log = structlog.get_logger(__name__)

SOURCE = Path(__file__).parent / "snippet" / "ct.js"
_MOVING = "public, max-age=300, stale-while-revalidate=86400"
_FIXED = "public, max-age=31536000, immutable"
_VERSIONS_KEPT = 32


@dataclass(frozen=True, kw_only=True)
class Served:
    """A snippet as browsers get it. `version` names it; `integrity` is for the page's script tag."""

    body: bytes
    gzipped: bytes
    version: str
    integrity: str

    @classmethod
    def of(cls, body: bytes) -> Served:
        digest = hashlib.sha384(body).digest()
        return cls(
            body=body,
            gzipped=gzip.compress(body, mtime=0),
            version=digest.hex()[:20],
            integrity=f"sha384-{base64.b64encode(digest).decode()}",
        )

    @property
    def path(self) -> str:
        return f"/ct/{self.version}.js"


@lru_cache
def current() -> Served:
    """The snippet of this router."""
    return Served.of(minify(SOURCE.read_text(encoding="utf-8")).encode())


def moving_line(public_url: str, site_key: str) -> str:
    """The line of HTML for pages that always get the newest snippet."""
    return f'<script async src="{public_url}/ct.js" data-site="{html.escape(site_key)}"></script>'


def fixed_line(public_url: str, site_key: str) -> str:
    """The line of HTML for pages that accept this version and no other."""
    served = current()
    return (
        f'<script async src="{public_url}{served.path}" integrity="{served.integrity}"'
        f' crossorigin="anonymous" data-site="{html.escape(site_key)}"></script>'
    )


class SnippetFile:
    """`remember` has to be called once, when the router starts."""

    def __init__(self, snippets: Snippets, throttle: Throttle) -> None:
        self._snippets = snippets
        self._throttle = throttle
        self._current = current()
        self._versions = {self._current.version: self._current}

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/ct.js",
                handler=self.moving,
                summary="The snippet.",
                answers={200: "text/javascript", 304: None},
                open=True,
            ),
            Endpoint(
                method="GET",
                path=r"/ct/{version:[0-9a-f]{20}}.js",
                handler=self.fixed,
                summary="One version of the snippet; what it holds never changes.",
                answers={200: "text/javascript", 304: None},
                open=True,
                errors=(404, 429, 503),
            ),
        ]

    async def remember(self, now: datetime) -> None:
        """Keep this version for the routers that come after this one."""
        try:
            await self._snippets.remember(self._current.version, self._current.body, now)
        except StoreUnavailable as error:
            log.warning("snippet version not kept", version=self._current.version, why=str(error))

    async def moving(self, request: web.Request) -> web.StreamResponse:
        return _answer(request, self._current, _MOVING)

    async def fixed(self, request: web.Request) -> web.StreamResponse:
        version = request.match_info["version"]
        served = self._versions.get(version)
        if served is None:
            self._throttle.signal(network_of(request[CLIENT]))
            body = await self._snippets.body(version)
            if body is None:
                raise NotFound(f"no snippet has the version {version}")
            served = Served.of(body)
            if len(self._versions) < _VERSIONS_KEPT:
                self._versions[version] = served
        return _answer(request, served, _FIXED)


def _answer(request: web.Request, served: Served, cached: str) -> web.StreamResponse:
    headers = {
        "ETag": f'W/"{served.version}"',
        "Cache-Control": cached,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
        "Vary": "Accept-Encoding",
    }
    if any(tag.value == served.version for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = "text/javascript; charset=utf-8"
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=served.gzipped, headers=headers)
    return web.Response(body=served.body, headers=headers)
