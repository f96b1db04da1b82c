"""The visitor's cookie: only where it is one of the page's own."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie
from typing import Any
from uuid import UUID, uuid4

import pytest

from router.services.administration import Administration
from router.services.work import By
from tests.web.conftest import SITE, Web

NAME = f"ct_{SITE}"


async def ask(
    web: Web, host: str, origin: str = "https://shop.example", cookie: str = "", **body: Any
) -> tuple[dict[str, Any], Morsel[str] | None, str]:
    """The answer to a visit, the cookie that it sets, and the header's text."""
    asked = {"site": SITE, "url": f"{origin}/?utm_source=google&utm_medium=cpc", **body}
    headers = {"Host": host, "Origin": origin}
    if cookie:
        headers["Cookie"] = cookie
    async with web.post("/v1/visits", asked, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        text = answer.headers.get("Set-Cookie", "")
        return await answer.json(), SimpleCookie(text).get(NAME), text


async def allow(web: Web, domain: str | None, *origins: str) -> None:
    """The site's settings, seen by the router after its directory's time."""
    by = By(actor="test", now=web.clock.now)
    await Administration(web.database).set_cookie_domain("shop", domain, by=by)
    await web.database._pool.execute("UPDATE site SET origins = origins || $1::text[]", origins)
    web.clock.pass_time(seconds=1)


async def test_a_router_on_the_pages_own_host_sets_it(web: Web) -> None:
    """For that host alone; scripts cannot read it; small."""
    told, cookie, text = await ask(web, "shop.example")

    assert cookie is not None
    assert cookie.value == told["visitor"]
    assert (cookie["domain"], cookie["path"], cookie["samesite"]) == ("", "/", "Lax")
    assert cookie["httponly"]
    assert cookie["secure"]
    assert int(cookie["max-age"]) == 400 * 24 * 3600
    assert len(text) <= 200


async def test_sub_domains_share_a_visitor_and_so_a_number(web: Web) -> None:
    """The storage of the second host knows nothing; the cookie does."""
    await allow(web, "shop.example", "https://www.shop.example", "https://blog.shop.example")
    first, cookie, text = await ask(web, "calls.shop.example", "https://www.shop.example")
    assert cookie is not None
    second, again, _ = await ask(
        web, "calls.shop.example", "https://blog.shop.example", cookie=f"{NAME}={cookie.value}"
    )

    assert cookie["domain"] == "shop.example"
    assert len(text) <= 200
    assert (second["visitor"], second["number"]) == (first["visitor"], first["number"])
    assert again is not None
    assert again.value == cookie.value


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("calls.example.net", None),
        ("calls.example.net", "shop.example"),
        ("calls.notshop.example", "shop.example"),
        ("calls.shop.example", None),
        ("calls.shop.example", "other.example"),
    ],
)
async def test_elsewhere_no_cookie_is_set(web: Web, host: str, domain: str | None) -> None:
    """It would be a third party's, or would be refused by the browser."""
    await allow(web, domain)

    assert (await ask(web, host))[2] == ""


async def test_the_cookie_goes_before_what_the_page_has_kept(web: Web) -> None:
    """Two hosts may have kept two ids from the time before it."""
    known = uuid4()
    told, _, _ = await ask(web, "shop.example", cookie=f"{NAME}={known}", visitor=str(uuid4()))
    spoilt, _, _ = await ask(web, "shop.example", cookie=f"{NAME}=x", visitor=str(known))

    assert UUID(told["visitor"]) == UUID(spoilt["visitor"]) == known


async def test_without_consent_it_is_not_read_and_ends(web: Web) -> None:
    """And where there was none, none is set."""
    known = uuid4()
    told, cookie, _ = await ask(web, "shop.example", cookie=f"{NAME}={known}", consent="denied")
    assert cookie is not None
    assert (cookie.value, cookie["max-age"]) == ("", "0")
    assert told["visitor"] != str(known)
    assert (await ask(web, "shop.example", consent="denied"))[2] == ""


async def test_over_plain_http_it_is_not_secure(web: Web) -> None:
    """A browser would throw it away."""
    await allow(web, None, "http://127.0.0.1:8090")
    _, cookie, _ = await ask(web, "127.0.0.1:8080", "http://127.0.0.1:8090")

    assert cookie is not None
    assert not cookie["secure"]


async def test_answers_may_be_read_with_credentials(web: Web) -> None:
    """Or the browser would neither send nor keep the cookie."""
    asked = {"site": SITE, "url": "https://shop.example/"}
    async with web.post("/v1/visits", asked) as answer:
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
