"""What a site's pages carry, by the admin API."""

from __future__ import annotations

from typing import Any

import pytest

from router.web.snippet_file import current
from tests.web.conftest import SITE, Web
from tests.web.test_admin import ask, entries, fields

SERVICE = "+74951234599"


async def a_site_with_two_numbers(web: Web) -> tuple[int, int]:
    """The ids of the site and of the pool that shall serve the second number."""
    _, sites, _ = await ask(web, "GET", "/v1/sites")
    site = sites["items"][0]["id"]
    numbers = {"page_numbers": ["+74951234567", SERVICE]}
    await ask(web, "PATCH", f"/v1/sites/{site}", numbers)
    _, pool, _ = await ask(web, "POST", "/v1/pools", {"name": "service", "site": site})
    return site, pool["id"]


async def test_lines_page_numbers_and_the_cookies_domain(web: Web) -> None:
    """Each change is answered with all of it, and audited."""
    site, pool = await a_site_with_two_numbers(web)
    path = f"/v1/sites/{site}/snippet"
    _, before, headers = await ask(web, "GET", path)
    status, served, _ = await ask(web, "PUT", f"/v1/pools/{pool}/page-number", {"number": SERVICE})
    changed, after, _ = await ask(web, "PATCH", path, {"cookie_domain": "Shop.example"})
    stale, _, _ = await ask(web, "PATCH", path, {"cookie_domain": None}, If_Match=headers["ETag"])
    _, main, _ = await ask(web, "PUT", f"/v1/pools/{pool}/page-number", {"number": None})
    audited = [entry["action"] for entry in (await entries(web))[:3]]

    assert (before["cookie_domain"], before["page_numbers"]) == (None, [])
    assert f'data-site="{SITE}"' in before["newest"]
    assert current().integrity in before["this_version"]
    assert (status, changed, stale) == (200, 200, 412)
    assert served["page_numbers"] == [
        {"number": SERVICE, "pools": [{"id": pool, "name": "service"}]}
    ]
    assert after["cookie_domain"] == "shop.example"
    assert main["page_numbers"] == []
    assert audited == ["pool.page_number", "site.cookie_domain", "pool.page_number"]


async def test_a_server_token_is_told_once_and_never_kept(web: Web) -> None:
    """A kept answer would keep it: an Idempotency-Key is refused."""
    site, _ = await a_site_with_two_numbers(web)
    path = f"/v1/sites/{site}/server-token"
    status, made, _ = await ask(web, "POST", path)
    refused, why, _ = await ask(web, "POST", path, Idempotency_Key="once")
    _, told, _ = await ask(web, "GET", f"/v1/sites/{site}/snippet")

    assert (status, made["token"][:4]) == (201, "cts_")
    assert (refused, fields(why)) == (400, ["Idempotency-Key"])
    assert told["server_token"] is True
    assert made["token"] not in str(await entries(web))


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "/v1/sites/999/snippet", None, 404, None),
        ("PATCH", "/v1/sites/999/snippet", {}, 404, None),
        ("POST", "/v1/sites/999/server-token", None, 404, None),
        ("PUT", "/v1/pools/999/page-number", {"number": None}, 404, None),
        ("PUT", "/v1/pools/{pool}/page-number", {"number": "+74950000000"}, 400, "number"),
        ("PUT", "/v1/pools/{pool}/page-number", {}, 400, "number"),
        ("PATCH", "/v1/sites/{site}/snippet", {"cookie_domain": "x y"}, 400, "cookie_domain"),
        ("PATCH", "/v1/sites/{site}/snippet", {"cookies": 1}, 400, "cookies"),
    ],
)
async def test_refusals(
    web: Web, method: str, path: str, body: Any, status: int, field: str | None
) -> None:
    """What there is not, and what a field may not be."""
    site, pool = await a_site_with_two_numbers(web)
    found, why, _ = await ask(web, method, path.format(site=site, pool=pool), body)

    assert found == status
    assert fields(why) == ([field] if field else [])
