"""What an administrator says about a site's snippet: page numbers, the cookie's domain, the server's token."""

from __future__ import annotations

import hashlib
import re
import secrets

from router.domain import phone
from router.domain.errors import FieldError
from router.domain.model import Site
from router.services.administration.desk import Desk
from router.services.checks import Ref
from router.services.work import By
from router.store import snippets as store

_DOMAIN = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
TOKEN_PREFIX = "cts_"


def digest(token: str) -> bytes:
    """What is stored of a token: it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


class Snippet(Desk):
    """What a site says about its snippet."""

    async def serve_page_number(
        self, pool: Ref, number: str | None, *, site: Ref | None = None, by: By
    ) -> str | None:
        """The pool's numbers stand in the place of this number of the site's pages; None: of its main
        ones, as it is for every new pool. Returns the number as E.164."""
        async with self._work(by) as work:
            row = await work.pool(pool, site)
            home = await work.site(row.pool.site_id)
            e164 = phone.parse(number, home.region, field="number") if number else None
            if e164 is not None and e164 not in home.page_numbers:
                raise FieldError(
                    "number",
                    f"{e164} is not one of the numbers that the pages of {home.name} show",
                    home.page_numbers[0],
                )
            await store.put_page_number(work.queries, row.pool.id, e164)
            await work.note("pool.page_number", row.pool.name, {"number": e164 or "main"})
            return e164

    async def set_cookie_domain(self, site: Ref, domain: str | None, *, by: By) -> Site:
        """One visitor over all hosts below `domain`: the site's pages and the router's public address
        have to lie there. None: each host has its own visitors."""
        async with self._work(by) as work:
            home = await work.site(site)
            name = domain.strip().lower().lstrip(".") if domain else None
            if name is not None and not _DOMAIN.fullmatch(name):
                raise FieldError(
                    "cookie_domain", f"{domain!r} is not the name of a domain", "example.com"
                )
            await store.put_cookie_domain(work.queries, home.id, name)
            await work.note("site.cookie_domain", home.name, {"domain": name or "none"})
            return home

    async def new_server_token(self, site: Ref, *, by: By) -> str:
        """The token with which the site's own server asks for visitors; an earlier one ends. It is told
        once: only its hash is kept."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        async with self._work(by) as work:
            home = await work.site(site)
            await store.put_server_digest(work.queries, home.id, digest(token))
            await work.note("site.server_token", home.name, {})
        return token
