"""Who asks on the staff listener: a program's token, or the cookie of a signed-in browser.

Everything is refused unless the endpoint is declared open; also a path that does not exist, so that
nobody learns what does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from router.domain.model import Scope
from router.services.access import SESSION_LIVES, Access, Actor
from router.web.answers import problem
from router.web.edge import CLIENT, NOTES
from router.web.endpoint import READING
from router.web.throttle import Throttle, network_of

ACTOR = web.RequestKey("actor", Actor)


class Cookie:
    """The session's cookie. Behind https it is bound to the host (`__Host-`); its name carries the port,
    because two installations on one host share their cookies."""

    def __init__(self, staff_url: str) -> None:
        parts = urlsplit(staff_url)
        self.secure = parts.scheme == "https"
        port = parts.port or (443 if self.secure else 80)
        self.name = f"{'__Host-' if self.secure else ''}call_router_{port}"
        self.origin = f"{parts.scheme}://{parts.netloc}"

    def set(self, answer: web.StreamResponse, session: str) -> None:
        answer.set_cookie(
            self.name,
            session,
            max_age=int(SESSION_LIVES.total_seconds()),
            path="/",
            httponly=True,
            secure=self.secure,
            samesite="Lax",
        )

    def clear(self, answer: web.StreamResponse) -> None:
        answer.del_cookie(self.name, path="/", httponly=True, secure=self.secure, samesite="Lax")


class Guardian:
    """Finds out who asks, and refuses everybody else."""

    def __init__(
        self,
        access: Access,
        throttle: Throttle,
        cookie: Cookie,
        clock: Callable[[], datetime],
        open_paths: Collection[str],
        refused_page: Handler,
    ) -> None:
        self._access = access
        self._throttle = throttle
        self._cookie = cookie
        self._clock = clock
        self._open = frozenset(open_paths)
        self._refused_page = refused_page
        self._scopes: Mapping[tuple[str, str], Scope] = {}

    def tell(self, scopes: Mapping[tuple[str, str], Scope]) -> None:
        """What each method and path (as the routes have it) needs; anything else is refused to everybody."""
        self._scopes = scopes

    async def actor(self, request: web.Request) -> Actor | None:
        """Who asks; None for nobody we know. Raises TooMany after too many failures of one network, which
        never keep a valid token out, and StoreUnavailable."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        session = request.cookies.get(self._cookie.name)
        if not token and not session:
            return None
        if not token:
            # a stale cookie is no attempt to get in: it is not counted, nor refused for others' attempts
            if session is None or not session.isascii():
                return None
            return await self._access.by_session(session, now=self._clock())
        found: Actor | None = None
        # ours are ASCII; a header's other bytes are halves of characters that nothing can encode
        if scheme.lower() == "bearer" and token.isascii():
            found = await self._access.by_token(token.strip(), now=self._clock())
        if found is None:
            network = network_of(request[CLIENT])
            self._throttle.may_sign_in(network)
            self._throttle.sign_in_failed(network)
        return found

    def from_elsewhere(self, request: web.Request) -> bool:
        """A write that another site's page makes with this browser's cookie."""
        if request.method in READING or "Authorization" in request.headers:
            return False
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site != "same-origin"
        return request.headers.get("Origin") != self._cookie.origin

    def middleware(self) -> Middleware:
        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path in self._open:
                return await handler(request)
            actor = await self.actor(request)
            if actor is None:
                return await self._refuse(request)
            request[ACTOR] = actor
            request[NOTES]["actor"] = actor.name
            if self.from_elsewhere(request):
                return problem(403, "forbidden", "this request came from another site's page")
            if not self._may(actor, request):
                return problem(
                    403,
                    "forbidden",
                    "this token may only read; `call-router token create NAME --scope write` makes another",
                )
            return await handler(request)

        return middleware

    def _may(self, actor: Actor, request: web.Request) -> bool:
        resource = request.match_info.route.resource
        if resource is None:
            return True  # there is no such path or method: the handler says so
        needs = self._scopes.get((request.method, resource.canonical))
        return needs == "read" or (needs == "write" and actor.scope == "write")

    async def _refuse(self, request: web.Request) -> web.StreamResponse:
        if "text/html" in request.headers.get("Accept", ""):
            return await self._refused_page(request)
        return problem(
            401,
            "unauthorized",
            "needs a token (Authorization: Bearer ct_live_…), or the cookie of `call-router sign-in`",
            headers={"WWW-Authenticate": 'Bearer realm="call-router"'},
        )
