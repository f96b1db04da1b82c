"""Who gets in: tokens, sign-in, cookies, and nothing without them; on a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from http.cookies import SimpleCookie

import aiohttp
import pytest

from router.store.database import Database
from router.web.openapi import plain_path
from router.web.server import ENDPOINTS
from router.web.throttle import Limits
from tests.web.conftest import Clock, Web, serving

OPEN = {"/health", "/ready"}
HTML = {"Accept": "text/html,application/xhtml+xml"}


def test_every_route_comes_from_the_table(web: Web) -> None:
    """Nothing is added past it: what the walk below visits is everything there is."""
    for application in web.applications:
        routes = {
            (route.method, route.resource.canonical)
            for route in application.router.routes()
            if route.resource is not None
        }

        assert routes == {(e.method, plain_path(e.path)) for e in application[ENDPOINTS]}


async def test_nothing_answers_without_a_token(web: Web) -> None:
    """Every route of the staff application, by every method, but health, readiness and signing in."""
    _, staff = web.applications
    answered: dict[str, int] = {}
    for endpoint in staff[ENDPOINTS]:
        path = plain_path(endpoint.path).replace("{ref}", "abcdefghij").replace("{id}", "1")
        for headers in (
            {},
            HTML,
            {"Authorization": "Bearer ct_live_wrong"},
            {"Authorization": "x"},
        ):
            async with web.client.request(
                endpoint.method, web.staff_url + path, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status != 401:
                    answered[path] = answer.status

    assert {p for p in answered if not p.startswith("/sign-in")} == OPEN
    assert {p: s for p, s in answered.items() if s != 200} == {}


async def test_nobody_learns_which_paths_exist(web: Web) -> None:
    """An unknown path and an unknown method are refused like a known one."""
    for path in ("/nothing", "/v1/calls/../../etc", "/static/live.js"):
        async with web.client.get(web.staff_url + path) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    async with web.client.delete(web.staff_url + "/v1/calls") as answer:
        assert answer.status == 401
    async with web.get("/nothing") as answer:
        assert (answer.status, (await answer.json())["error"]) == (404, "not_found")


async def signed_in(web: Web) -> tuple[aiohttp.ClientResponse, str]:
    code = await web.parts.access.create_code(now=web.clock.now)
    url = f"{web.staff_url}/sign-in?code={code}"
    answer = await web.client.get(url, allow_redirects=False)
    return answer, url


async def test_a_link_signs_one_browser_in(web: Web) -> None:
    """Once; the cookie is for this host, unseen by scripts, and not sent along from other sites."""
    answer, url = await signed_in(web)
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["call_router_8081"]
    again = await web.client.get(url, allow_redirects=False)
    jar = {"call_router_8081": cookie.value}
    async with web.client.get(f"{web.staff_url}/v1/calls", cookies=jar) as calls:
        assert calls.status == 200
    async with web.client.get(f"{web.staff_url}/live", cookies=jar) as live:
        assert live.status == 200

    assert (answer.status, answer.headers["Location"]) == (303, "/live")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert (cookie["secure"], cookie["max-age"]) == ("", "43200")
    assert (again.status, "Set-Cookie" in again.headers) == (403, False)
    assert "does not work any more" in await again.text()


async def test_behind_https_the_cookie_is_bound_to_the_host(
    company: Database, clock: Clock
) -> None:
    """`__Host-` and Secure."""
    async with serving(company, clock, staff_url="https://staff.example.com") as web:
        answer, _ = await signed_in(web)

    cookie = SimpleCookie(answer.headers["Set-Cookie"])["__Host-call_router_443"]
    assert cookie["secure"] is True
    assert cookie["domain"] == ""


async def test_a_session_ends(web: Web) -> None:
    """Idle for half an hour; the page then says how to sign in."""
    answer, _ = await signed_in(web)
    jar = {"call_router_8081": SimpleCookie(answer.headers["Set-Cookie"])["call_router_8081"].value}
    web.clock.pass_time(minutes=31)
    async with web.client.get(f"{web.staff_url}/live", cookies=jar, headers=HTML) as live:
        page = await live.text()

    assert live.status == 401
    assert "You are not signed in" in page
    assert "call-router sign-in" in page


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://127.0.0.1:8081"}, 303),
        ({"Origin": "http://127.0.0.1:8080"}, 403),
        ({}, 403),
    ],
)
async def test_no_other_site_acts_with_this_browsers_cookie(
    web: Web, headers: dict[str, str], status: int
) -> None:
    """Signing out is a write: it is taken from our own pages only."""
    answer, _ = await signed_in(web)
    jar = {"call_router_8081": SimpleCookie(answer.headers["Set-Cookie"])["call_router_8081"].value}
    async with web.client.post(
        f"{web.staff_url}/sign-out", cookies=jar, headers=headers, allow_redirects=False
    ) as left:
        assert left.status == status
    async with web.client.get(f"{web.staff_url}/v1/calls", cookies=jar) as calls:
        assert calls.status == (401 if status == 303 else 200)


async def test_who_fails_too_often_waits(company: Database, clock: Clock) -> None:
    """Tokens and codes tried from one network; whoever has a right one, or is signed in, goes on."""
    limits = Limits(failed_sign_ins=5)
    async with serving(company, clock, limits=limits) as web:
        answer, _ = await signed_in(web)
        jar = {
            "call_router_8081": SimpleCookie(answer.headers["Set-Cookie"])["call_router_8081"].value
        }
        statuses = []
        for i in range(7):
            headers = {"Authorization": f"Bearer ct_live_{i}"}
            async with web.client.get(f"{web.staff_url}/v1/calls", headers=headers) as tried:
                statuses.append(tried.status)
        async with web.client.get(f"{web.staff_url}/sign-in?code=x") as code:
            statuses.append(code.status)
        async with web.client.get(f"{web.staff_url}/v1/calls", cookies=jar) as calls:
            assert calls.status == 200
        web.token = await web.parts.access.create_token("tests", actor="test", now=clock.now)
        async with web.get("/v1/calls") as calls:
            assert calls.status == 200

    assert statuses == [401] * 5 + [429] * 3
    assert 1 <= int(tried.headers["Retry-After"]) <= 120


async def test_pages_have_no_inline_script_and_their_headers_forbid_it(web: Web) -> None:
    """What a visitor wrote cannot run even if it were not escaped."""
    async with web.get("/live") as answer:
        page = await answer.text()
    policy = answer.headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page
    assert "style=" not in page
    assert "onclick" not in page
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Python" not in answer.headers["Server"]


async def test_files_of_the_pages_are_asked_for_by_their_tag(web: Web) -> None:
    """A browser has the new one as soon as there is one."""
    async with web.get("/static/live.js") as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Content-Type"].startswith("text/javascript")
    async with web.get("/static/live.js", headers={"If-None-Match": tag}) as again:
        assert again.status == 304
    async with web.get("/static/../server.py") as outside:
        assert outside.status == 404


async def test_sign_in_without_a_code_says_how(web: Web) -> None:
    """And a code that is no code is refused."""
    async with web.client.get(f"{web.staff_url}/sign-in") as answer:
        assert answer.status == 200
        assert "one-time link" in await answer.text()
    async with web.client.get(f"{web.staff_url}/sign-in?code=%00%ff<script>") as answer:
        assert answer.status == 403


async def test_a_token_is_revoked_in_the_midst_of_use(web: Web) -> None:
    """The next request is refused."""
    await web.parts.access.revoke_token(
        "tests", actor="test", now=web.clock.now + timedelta(seconds=1)
    )
    async with web.get("/v1/calls") as answer:
        assert answer.status == 401
