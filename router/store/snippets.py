"""What sites say about their snippets, and the snippets that were served."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from router.domain.model import OrganisationId, PoolId, SiteId
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True, slots=True)
class SnippetSettings:
    """`cookie_domain`: the visitor's cookie is set for it and what is below; None: for one host only.
    `server_digest`: SHA-256 of the token of the site's own server."""

    cookie_domain: str | None = None
    server_digest: bytes | None = None

    def is_servers(self, token: str) -> bool:
        """Whether the site's own server has this token."""
        given = hashlib.sha256(token.encode()).digest()
        return self.server_digest is not None and hmac.compare_digest(given, self.server_digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A page number, and a pool whose numbers stand in its place."""

    number: str
    pool_id: int
    pool: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SnippetLine:
    """What an administrator sees of a site's snippet; `served` by page number."""

    key: str
    cookie_domain: str | None
    server_token: bool
    served: tuple[Served, ...]


NOTHING_SAID = SnippetSettings()


async def page_numbers(queries: Queries) -> Mapping[SiteId, Mapping[PoolId, str]]:
    """By site: the page number that a pool serves, where that is not the main one."""
    found: dict[SiteId, dict[PoolId, str]] = {}
    for row in await queries.fetch("snippets.page_numbers"):
        found.setdefault(row["site_id"], {})[row["pool_id"]] = row["e164"]
    return found


async def settings(queries: Queries) -> Mapping[SiteId, SnippetSettings]:
    """Of the sites that say anything."""
    return {
        row["site_id"]: SnippetSettings(
            cookie_domain=row["cookie_domain"], server_digest=row["server_digest"]
        )
        for row in await queries.fetch("snippets.settings")
    }


async def of_site(queries: Queries, organisation: OrganisationId, site: int) -> list[SnippetLine]:
    """Empty where the organisation has no such site."""
    return [
        SnippetLine(
            key=row["key"],
            cookie_domain=row["cookie_domain"],
            server_token=row["server_token"],
            served=tuple(Served(**served) for served in row["served"] or ()),
        )
        for row in await queries.fetch(
            "snippets.of_site", organisation_id=organisation, site_id=site
        )
    ]


async def put_page_number(queries: Queries, pool: PoolId, e164: str | None) -> None:
    """None: the pool serves the main number."""
    if e164 is None:
        await queries.execute("snippets.drop_page_number", pool_id=pool)
    else:
        await queries.execute("snippets.put_page_number", pool_id=pool, e164=e164)


async def put_cookie_domain(queries: Queries, site: SiteId, domain: str | None) -> None:
    await queries.execute("snippets.put_cookie_domain", site_id=site, cookie_domain=domain)


async def put_server_digest(queries: Queries, site: SiteId, digest: bytes | None) -> None:
    await queries.execute("snippets.put_server_digest", site_id=site, server_digest=digest)


async def remember(queries: Queries, version: str, body: bytes, now: datetime) -> None:
    """A snippet that is served from now on; one that is known already stays as it is."""
    await queries.execute("snippets.remember", version=version, body=body, first_served_at=now)


async def body(queries: Queries, version: str) -> bytes | None:
    """A snippet that was served once, as it was."""
    return cast(bytes | None, await queries.fetchval("snippets.body", version=version))
