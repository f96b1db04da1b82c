"""Pages for people: signing in and out, and the live page. Their data comes from the staff API."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from router.services.access import Access, SignInRefused
from router.web.auth import Cookie
from router.web.edge import CLIENT
from router.web.endpoint import Endpoint
from router.web.throttle import Throttle, network_of

_FOLDER = Path(__file__).parent
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# What the sign-in page needs before anybody is known.
_OPEN_ASSETS = ("base.css", "icon.svg")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file served as it is; the browser asks each time whether it changed."""

    body: bytes
    content_type: str
    etag: str

    @classmethod
    def read(cls, path: Path) -> Asset:
        body = path.read_bytes()
        return cls(
            body=body,
            content_type=_TYPES[path.suffix],
            etag=hashlib.sha256(body).hexdigest()[:20],
        )

    async def serve(self, request: web.Request) -> web.StreamResponse:
        headers = {"Cache-Control": "private, no-cache", "ETag": f'"{self.etag}"'}
        if any(tag.value == self.etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=self.body, headers={**headers, "Content-Type": self.content_type})


def set_up_templates(application: web.Application) -> None:
    aiohttp_jinja2.setup(
        application,
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )


class Pages:
    def __init__(
        self, access: Access, cookie: Cookie, throttle: Throttle, clock: Callable[[], datetime]
    ) -> None:
        self._access = access
        self._cookie = cookie
        self._throttle = throttle
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/",
                handler=self.home,
                summary="To the live page.",
                answers={303: None},
                errors=(401,),
            ),
            Endpoint(
                method="GET",
                path="/live",
                handler=self.live,
                summary="The page that shows calls as they ring, talk and end.",
                answers={200: "text/html"},
                errors=(401,),
            ),
            Endpoint(
                method="GET",
                path="/sign-in",
                handler=self.sign_in,
                summary="Opens a session with a one-time `code`; without one says how to get it.",
                answers={200: "text/html", 303: None, 403: "text/html"},
                errors=(429, 503),
                open=True,
            ),
            Endpoint(
                method="POST",
                path="/sign-out",
                handler=self.sign_out,
                needs="read",
                summary="Ends the browser's session.",
                answers={303: None},
                errors=(401, 403, 503),
            ),
            *_assets(),
        ]

    async def home(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=303, headers={"Location": "/live"})

    async def live(self, request: web.Request) -> web.StreamResponse:
        return aiohttp_jinja2.render_template("live.html", request, {})

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        code = request.query.get("code", "")
        if not code:
            return _page(request, "none", 200)
        network = network_of(request[CLIENT])
        self._throttle.may_sign_in(network)
        try:
            session = await self._access.sign_in(code, now=self._clock())
        except SignInRefused:
            self._throttle.sign_in_failed(network)
            return _page(request, "refused", 403)
        answer = web.Response(status=303, headers={"Location": "/live"})
        self._cookie.set(answer, session)
        return answer

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        session = request.cookies.get(self._cookie.name)
        if session:
            await self._access.sign_out(session, now=self._clock())
        answer = web.Response(status=303, headers={"Location": "/sign-in"})
        self._cookie.clear(answer)
        return answer


async def unknown_visitor(request: web.Request) -> web.StreamResponse:
    """Instead of a page, for a browser that is not signed in."""
    return _page(request, "unknown", 401)


def _page(request: web.Request, reason: str, status: int) -> web.StreamResponse:
    return aiohttp_jinja2.render_template(
        "sign_in.html", request, {"reason": reason}, status=status
    )


def _assets() -> list[Endpoint]:
    endpoints = []
    for path in sorted((_FOLDER / "static").iterdir()):
        asset = Asset.read(path)
        is_open = path.name in _OPEN_ASSETS
        endpoints.append(
            Endpoint(
                method="GET",
                path=f"/{'sign-in' if is_open else 'static'}/{path.name}",
                handler=asset.serve,
                summary=f"A file of the pages: {path.name}.",
                answers={200: asset.content_type.partition(";")[0], 304: None},
                errors=() if is_open else (401,),
                open=is_open,
            )
        )
    return endpoints
