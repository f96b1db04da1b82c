"""The two applications: one for browsers of visitors, one for staff and programs.

They share nothing but the services; whoever can reach the first can do nothing of the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web
from prometheus_client import CollectorRegistry

from router.services.access import Access
from router.services.inventory import Inventory
from router.services.live import Live
from router.services.readiness import Readiness
from router.services.recordings import Recordings
from router.services.reports import Reports
from router.services.snippets import Snippets
from router.services.visits import Visits
from router.settings import Networks
from router.store.database import Database
from router.web import admin
from router.web.admin.bodies import TEXT_AT_MOST
from router.web.auth import Cookie, Guardian
from router.web.calls import Calls
from router.web.collect import BODY_AT_MOST, Collect
from router.web.edge import PUBLIC_HEADERS, STAFF_HEADERS, edge, with_headers
from router.web.endpoint import Endpoint, mount
from router.web.feed import Feed
from router.web.health import Health, Metrics
from router.web.metrics import WebMetrics
from router.web.openapi import OpenApi, plain_path
from router.web.pages import Pages, set_up_templates, unknown_visitor
from router.web.recordings import RecordingFiles
from router.web.rendered import Rendered
from router.web.snippet_file import SnippetFile
from router.web.throttle import Limits, Throttle, client_address

ENDPOINTS: web.AppKey[Sequence[Endpoint]] = web.AppKey("endpoints", Sequence)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the applications are made of; the composition root fills it in."""

    visits: Visits
    inventory: Inventory
    access: Access
    reports: Reports
    recordings: Recordings
    snippets: Snippets
    live: Live
    readiness: Readiness
    registry: CollectorRegistry
    database: Database
    clock: Callable[[], datetime]
    public_url: str
    staff_url: str
    version: str
    trusted_proxies: Networks = ()
    limits: Limits = field(default_factory=Limits)


def applications(parts: Parts) -> tuple[web.Application, web.Application]:
    """The public application and the staff application."""
    metrics = WebMetrics(parts.registry)
    throttle = Throttle(parts.limits)
    snippet_file = SnippetFile(parts.snippets, throttle)
    public = [*_public_endpoints(parts, metrics, throttle), *snippet_file.endpoints()]
    staff, guardian, openapi = _staff_endpoints(parts, metrics, throttle)
    openapi.tell(
        {"public": public, "staff": staff},
        {"public": parts.public_url, "staff": parts.staff_url},
        parts.version,
    )

    def address_of(request: web.Request) -> str:
        # a proxy may add a line of its own below the client's
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", ()))
        return client_address(request.remote, forwarded, parts.trusted_proxies)

    public_application = web.Application(
        client_max_size=BODY_AT_MOST + 1, middlewares=[edge("public", metrics, address_of)]
    )
    public_application.on_response_prepare.append(with_headers(PUBLIC_HEADERS))

    async def keep_snippet(_application: web.Application) -> None:
        await snippet_file.remember(parts.clock())

    public_application.on_startup.append(keep_snippet)
    staff_application = web.Application(
        client_max_size=TEXT_AT_MOST + 1,
        middlewares=[edge("staff", metrics, address_of), guardian.middleware()],
    )
    staff_application.on_response_prepare.append(with_headers(STAFF_HEADERS))
    set_up_templates(staff_application)

    async def end_feeds(_application: web.Application) -> None:
        parts.live.close()

    staff_application.on_shutdown.append(end_feeds)
    for application, endpoints in ((public_application, public), (staff_application, staff)):
        application[ENDPOINTS] = tuple(endpoints)
        mount(application, endpoints)
    return public_application, staff_application


def _public_endpoints(parts: Parts, metrics: WebMetrics, throttle: Throttle) -> list[Endpoint]:
    collect = Collect(
        visits=parts.visits,
        inventory=parts.inventory,
        throttle=throttle,
        metrics=metrics,
        clock=parts.clock,
    )
    rendered = Rendered(visits=parts.visits, throttle=throttle, metrics=metrics, clock=parts.clock)
    health = Health(parts.readiness, in_words=False)
    return [*collect.endpoints(), *rendered.endpoints(), *health.endpoints()]


def _staff_endpoints(
    parts: Parts, metrics: WebMetrics, throttle: Throttle
) -> tuple[list[Endpoint], Guardian, OpenApi]:
    cookie = Cookie(parts.staff_url)
    pages = Pages(parts.access, cookie, throttle, parts.clock)
    health = Health(parts.readiness, in_words=True)
    openapi = OpenApi()
    fixed = [*pages.endpoints(), *health.endpoints()]
    guardian = Guardian(
        parts.access,
        throttle,
        cookie,
        parts.clock,
        open_paths={endpoint.path for endpoint in fixed if endpoint.open},
        refused_page=unknown_visitor,
    )
    endpoints = [
        *Calls(parts.reports, parts.clock).endpoints(),
        *RecordingFiles(parts.reports, parts.recordings, parts.clock).endpoints(),
        *Feed(parts.live, guardian, parts.clock).endpoints(),
        *admin.endpoints(parts.database, parts.clock, parts.public_url),
        *fixed,
        *Metrics(metrics, parts.readiness, parts.live).endpoints(),
        *openapi.endpoints(),
    ]
    guardian.tell({(e.method, plain_path(e.path)): e.scope for e in endpoints})
    return endpoints, guardian, openapi
