"""The site's own cookie that carries the visitor's id.

A script's storage is per host and, in some browsers, gone after days; a cookie that the server sets is
shared by all hosts of a domain and stays. It can be one of the page's own only where the router's public
address lies on the page's host or in the site's cookie domain; elsewhere nothing is set.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from aiohttp import web

# browsers keep no cookie longer than this
SECONDS = 400 * 24 * 3600


def name(site_key: str) -> str:
    return f"ct_{site_key}"


def read(request: web.Request, site_key: str) -> UUID | None:
    """The visitor's id; None where there is none, or something else."""
    try:
        return UUID(request.cookies.get(name(site_key), ""))
    except ValueError:
        return None


def write(
    request: web.Request,
    answer: web.Response,
    *,
    site_key: str,
    domain: str | None,
    visitor: UUID | None,
) -> None:
    """Set it where it can be one of the page's own. Without a `visitor` it ends, if there was one."""
    page = urlsplit(request.headers.get("Origin", ""))
    router = _host(f"//{request.host}")
    within = (
        domain if domain and _within(router, domain) and _within(page.hostname, domain) else None
    )
    if within is None and (not router or router != page.hostname):
        return
    if visitor is None and name(site_key) not in request.cookies:
        return
    answer.set_cookie(
        name(site_key),
        str(visitor) if visitor else "",
        max_age=SECONDS if visitor else 0,
        domain=within,
        path="/",
        secure=page.scheme == "https",
        httponly=True,
        samesite="Lax",
    )


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _within(host: str | None, domain: str) -> bool:
    return host == domain or (host or "").endswith(f".{domain}")
