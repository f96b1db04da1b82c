"""What the snippet calls: statuses, CORS, sizes; on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import aiohttp
import pytest

from router.web.collect import BODY_AT_MOST
from tests.web.conftest import ORIGIN, SITE, LogLines, Web

VISIT = {"site": SITE, "url": f"{ORIGIN}/?utm_source=google"}


async def test_a_visit_gets_a_number(web: Web) -> None:
    """In the three forms that a page may need, readable by the site's pages only."""
    async with web.post("/v1/visits", VISIT) as answer:
        body = await answer.json()
        headers = answer.headers

    assert answer.status == 200
    assert body["how"] == "free"
    assert body["number"] == {
        "e164": "+74951110001",
        "national": "8 (495) 111-00-01",
        "international": "+7 495 111-00-01",
    }
    assert body["replace"] == ["+74951234567"]
    assert body["heartbeat_seconds"] == 30
    assert body["valid_until"].endswith("Z")
    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert headers["Vary"] == "Origin"
    assert headers["Cache-Control"] == "no-store"


async def test_the_same_visitor_keeps_the_number(web: Web) -> None:
    """Known by the ids that the snippet keeps; they may come as a beacon's text/plain."""
    first = await web.visit()
    second = await web.visit(visitor=first["visitor"], session=first["session"])
    held = {"session": first["session"], "token": first["token"]}
    beat = {"site": SITE, **held, "visible": True, "input": True}
    async with web.client.post(
        f"{web.public_url}/v1/heartbeats",
        data=json.dumps({**beat, "number": first["number"]["e164"]}),
        headers={"Origin": ORIGIN, "Content-Type": "text/plain;charset=UTF-8"},
    ) as answer:
        heard = await answer.json()

    assert second["number"] == first["number"]
    assert (answer.status, heard["how"], heard["number"]) == (200, "kept", None)


@pytest.mark.parametrize(
    "header",
    [
        {"Sec-Purpose": "prefetch;prerender"},
        {"Sec-Purpose": "prefetch"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        {"User-Agent": ""},
    ],
)
async def test_pages_that_nobody_looks_at_cost_nothing(web: Web, header: dict[str, str]) -> None:
    """Loaded ahead by a browser, or by who does not say what it is: the page's own number."""
    async with web.post("/v1/visits", VISIT, headers=header) as answer:
        body = await answer.json()

    assert (answer.status, body["how"]) == (200, "default")
    assert (await web.visit())["number"]["e164"] == "+74951110001"


@pytest.mark.parametrize("path", ["/v1/leaves", "/v1/taps"])
async def test_beacons_are_taken_without_a_word(web: Web, path: str) -> None:
    """204 and no body."""
    visit = await web.visit()
    kind = "hide" if path == "/v1/leaves" else "tap"
    body = {"site": SITE, "session": visit["session"], "token": visit["token"]}
    async with web.post(path, {**body, "number": visit["number"]["e164"], "kind": kind}) as answer:
        assert (answer.status, await answer.read()) == (204, b"")


async def test_a_page_learns_that_its_session_is_unknown(web: Web) -> None:
    """404 that the page may read: it begins another."""
    beat = {"site": SITE, "session": str(uuid.uuid4()), "visible": True, "input": False}
    async with web.post("/v1/heartbeats", beat) as answer:
        body = await answer.json()

    assert (answer.status, body["error"]) == (404, "unknown_session")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("path", ["/v1/heartbeats", "/v1/leaves", "/v1/taps"])
@pytest.mark.parametrize(
    "token", [None, "", "AGkrXQBzQ1o3ZrW0k8yLh5nTfQ2e", "é" * 28, "\0" * 28, "=" * 28, "x" * 9000]
)
async def test_who_was_not_told_of_a_session_does_not_speak_for_it(
    web: Web, path: str, token: str | None
) -> None:
    """404 that a page may read, whatever stands in the token's place; nothing is written."""
    visit = await web.visit()
    kind = "tap" if path == "/v1/taps" else "close"
    body = {"site": SITE, "session": visit["session"], "visible": True, "input": True, "kind": kind}
    before = await web.database._pool.fetchrow("SELECT * FROM session")
    web.clock.pass_time(seconds=3)
    async with web.post(path, {**body, "token": token}) as answer:
        told = await answer.json()

    assert (answer.status, told["error"]) == (404, "unknown_session")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert await web.database._pool.fetchrow("SELECT * FROM session") == before


@pytest.mark.parametrize(
    ("site", "origin", "status", "code"),
    [
        ("no-such-site", ORIGIN, 404, "unknown_site"),
        (SITE, "https://evil.example", 403, "wrong_origin"),
        (SITE, "null", 403, "wrong_origin"),
        (SITE, "", 403, "wrong_origin"),
        (SITE, "https://shop.example.evil.example", 403, "wrong_origin"),
        (SITE, "http://shop.example", 403, "wrong_origin"),
    ],
)
async def test_other_sites_and_origins_are_refused(
    web: Web, site: str, origin: str, status: int, code: str
) -> None:
    """And may not read why; nothing is reserved for them."""
    headers = {"Origin": origin} if origin else {}
    async with web.client.post(
        f"{web.public_url}/v1/visits", json={**VISIT, "site": site}, headers=headers
    ) as answer:
        body = await answer.json()
    reserved = await web.database._pool.fetchval("SELECT count(*) FROM reservation")

    assert (answer.status, body["error"]) == (status, code)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert reserved == 0


async def test_a_page_asks_before_it_sends_json(web: Web) -> None:
    """Preflights of the sites' own origins are allowed, others are not."""
    told = {}
    for origin in (ORIGIN, "https://evil.example"):
        async with web.client.options(
            f"{web.public_url}/v1/visits",
            headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
        ) as answer:
            told[origin] = (answer.status, answer.headers.get("Access-Control-Allow-Origin"))
            if origin == ORIGIN:
                assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"

    assert told == {ORIGIN: (204, ORIGIN), "https://evil.example": (403, None)}


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/v1/visits", {}, {"site": "acme-shop-7fQ2", "url": "https://shop.example/?utm_source=google"}),
        ("/v1/visits", {**VISIT, "url": "javascript:alert(1)"}, {"url": "https://shop.example/?utm_source=google"}),
        ("/v1/visits", {**VISIT, "visitor": "x"}, {"visitor": "0f2f7ab1-3a5e-4c52-8d39-1a1c51a6f1d0"}),
        ("/v1/visits", {**VISIT, "screen": {"width": -1, "height": 1}}, {"screen.width": ""}),
        ("/v1/visits", [1, 2], {"body": ""}),
        ("/v1/taps", {"site": SITE, "session": str(uuid.uuid4()), "kind": "kick", "number": "12"},
         {"number": "+74951234567", "kind": "tap"}),
    ],
)  # fmt: skip
async def test_each_wrong_field_is_named(
    web: Web, path: str, body: Any, fields: dict[str, str]
) -> None:
    """400 with the JSON path of each field, its problem and a good example."""
    async with web.post(path, body) as answer:
        told = await answer.json()

    assert (answer.status, told["error"]) == (400, "bad_request")
    assert {f["field"]: f["example"] for f in told["fields"]} == fields
    assert all(f["problem"] for f in told["fields"])


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"site": "\xff"}', "application/json", 400),
        (b'{"site": "\\ud800"}', "text/plain", 400),
        (b"{}", "multipart/form-data; boundary=x", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b" " * (BODY_AT_MOST + 1), "text/plain", 413),
    ],
)
async def test_bodies_that_are_none(web: Web, data: bytes, content_type: str, status: int) -> None:
    """Malformed, of another kind, or too large."""
    async with web.client.post(
        f"{web.public_url}/v1/visits",
        data=data,
        headers={"Origin": ORIGIN, "Content-Type": content_type},
    ) as answer:
        told = await answer.json()

    assert answer.status == status
    assert told["error"] in ("bad_request", "unsupported_media_type", "too_large")


async def test_a_body_of_unknown_length_is_cut_off(web: Web) -> None:
    """Chunked: read no further than the limit."""

    async def endless() -> Any:
        for _ in range(200):
            yield b" " * 1024

    async with web.client.post(
        f"{web.public_url}/v1/visits", data=endless(), headers={"Origin": ORIGIN}
    ) as answer:
        assert answer.status == 413


async def test_the_largest_body_is_taken(web: Web) -> None:
    """A tag of nine kilobytes, quotes, line breaks and other scripts arrive."""
    tag = "шина\u2764\"'<>\r\n\t\0" * 200 + "x" * 9000
    body = json.dumps(
        {"site": SITE, "url": f"{ORIGIN}/?utm_source=google&utm_campaign={tag}"},
        ensure_ascii=False,
    ).encode()
    assert BODY_AT_MOST - 2000 < len(body) <= BODY_AT_MOST
    async with web.client.post(
        f"{web.public_url}/v1/visits",
        data=body,
        headers={"Origin": ORIGIN, "Content-Type": "text/plain"},
    ) as answer:
        assert answer.status == 200, await answer.text()


async def test_methods_and_paths_that_do_not_exist(web: Web) -> None:
    """JSON as well."""
    async with web.client.get(f"{web.public_url}/v1/visits") as wrong_method:
        method = await wrong_method.json()
    async with web.client.get(f"{web.public_url}/v1/nothing") as wrong_path:
        path = await wrong_path.json()

    assert (wrong_method.status, method["error"]) == (405, "method_not_allowed")
    assert "POST" in wrong_method.headers["Allow"]
    assert (wrong_path.status, path["error"]) == (404, "not_found")


async def test_the_snippet_is_cached_and_embeddable(web: Web) -> None:
    """Five minutes, then by its tag; from any page; packed for whoever takes that."""
    url = f"{web.public_url}/ct.js"
    async with web.client.get(url) as answer:
        body = await answer.text()
        tag = answer.headers["ETag"]
    async with web.client.get(url, headers={"If-None-Match": tag}) as again:
        assert (again.status, await again.read()) == (304, b"")
    async with web.client.get(url, headers={"Accept-Encoding": "identity"}) as plain:
        assert (await plain.text(), plain.headers.get("Content-Encoding")) == (body, None)

    assert answer.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Content-Encoding"] == "gzip"


async def test_a_database_that_is_away_is_said_at_once(web: Web) -> None:
    """503 within about a second: the page keeps its own number."""
    await web.visit()
    real, web.parts.visits._directory._database = web.parts.visits._directory._database, _Frozen()
    web.clock.pass_time(seconds=10)
    began = asyncio.get_running_loop().time()
    async with web.post("/v1/visits", VISIT) as answer:
        body = await answer.json()
    web.parts.visits._directory._database = real

    assert (answer.status, body["error"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert asyncio.get_running_loop().time() - began < 2


class _Frozen:
    """A database that accepts and stays silent."""

    async def fetch(self, *_args: object, **_values: object) -> None:
        await asyncio.sleep(30)


async def test_many_ask_at_once(web: Web) -> None:
    """Fifty visitors, three numbers: nobody gets another's, the rest sees the default number."""
    visits = await asyncio.gather(*(web.visit() for _ in range(50)))
    own = [visit["number"]["e164"] for visit in visits if visit["how"] == "free"]

    assert sorted(own) == ["+74951110001", "+74951110002", "+74951110003"]
    assert {v["number"]["e164"] for v in visits if v["how"] == "default"} == {"+74951234567"}


async def test_a_request_leaves_one_line_in_the_log(web: Web, log_lines: LogLines) -> None:
    """With what became of it; heartbeats are sampled; no phone is whole in it."""
    visit = await web.visit()
    held = {"session": visit["session"], "token": visit["token"]}
    beat = {"site": SITE, **held, "visible": True, "input": False}
    for _ in range(20):
        async with web.post("/v1/heartbeats", {**beat, "number": visit["number"]["e164"]}):
            pass
    lines = log_lines()
    line = next(line for line in lines if line["path"] == "/v1/visits")

    assert [line["path"] for line in lines].count("/v1/visits") == 1
    assert [line["path"] for line in lines].count("/v1/heartbeats") <= 1
    assert (line["status"], line["site"], line["how"]) == (200, SITE, "free")
    assert line["network"] == "127.0.0.0/24"
    assert "4951110001" not in json.dumps(lines)


async def test_a_client_that_goes_away_hurts_nobody(web: Web) -> None:
    """Half a request, then gone; the next one is served."""
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", web.public.port)
        writer.write(b"POST /v1/visits HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    assert (await web.visit())["how"] == "free"


async def test_no_cookie_is_ever_set(web: Web) -> None:
    """The snippet's host has none."""
    async with web.post("/v1/visits", VISIT) as answer:
        assert isinstance(answer, aiohttp.ClientResponse)
        assert "Set-Cookie" not in answer.headers
