"""Whatever is sent, the router answers with something below 500 that says why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.web.collect import PATHS
from tests.web.conftest import ORIGIN, SITE, Web

_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=60)
)
ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
_SITE = st.just(SITE) | st.text(max_size=70)
_UUID = st.uuids().map(str) | ANYTHING
_URL = st.text(max_size=200).map(lambda text: f"{ORIGIN}/?utm_source={text}") | st.text(
    max_size=50
).map(lambda text: f"http://{text}")
_FIELDS = {
    "url": _URL | ANYTHING,
    "referrer": st.text(max_size=200) | ANYTHING,
    "visitor": _UUID,
    "session": _UUID,
    "token": st.from_regex(r"[A-Za-z0-9_-]{28}", fullmatch=True) | ANYTHING,
    "visible": st.booleans() | ANYTHING,
    "input": st.booleans() | ANYTHING,
    "number": st.from_regex(r"\+[0-9]{0,18}", fullmatch=True) | ANYTHING,
    "kind": st.sampled_from(["hide", "close", "tap", "copy"]) | ANYTHING,
    "screen": ANYTHING,
    "consent": st.sampled_from(["granted", "denied"]) | ANYTHING,
    "client_ids": st.dictionaries(st.sampled_from(["ga", "ga_session", "ym"]), ANYTHING) | ANYTHING,
    "debug": st.booleans() | ANYTHING,
    "input_seconds": st.integers() | ANYTHING,
    "others": st.lists(st.fixed_dictionaries({"session": _UUID}), max_size=20) | ANYTHING,
}
BODIES = st.fixed_dictionaries({"site": _SITE}, optional=_FIELDS)
GOOD_VISITS = st.fixed_dictionaries(
    {"site": st.just(SITE), "url": _URL},
    optional={"referrer": st.text(max_size=200), "visitor": st.uuids().map(str)},
)
QUIET = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def ask(web: Web) -> Callable[[str, str, bytes, dict[str, str]], tuple[int, dict[str, Any]]]:
    """One request from the thread in which hypothesis runs."""
    loop = asyncio.get_running_loop()

    async def requested(
        method: str, url: str, data: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        async with web.client.request(
            method, url, data=data, headers=headers, allow_redirects=False
        ) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else {}

    def ask(
        method: str, url: str, data: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        work = requested(method, url, data, headers)
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    return ask


def sound(status: int, body: dict[str, Any]) -> bool:
    """Success, or a refusal that says why."""
    return status in (200, 204) or (400 <= status < 500 and bool(body["error"] and body["message"]))


HEADERS = {"Origin": ORIGIN, "Content-Type": "application/json"}


async def test_bodies_of_every_shape(web: Web, ask: Any) -> None:
    """Right and wrong fields of every kind, at every path of the snippet."""

    @QUIET
    @given(path=st.sampled_from(PATHS), body=BODIES | ANYTHING)
    def send(path: str, body: Any) -> None:
        data = json.dumps(body).encode()
        status, told = ask("POST", web.public_url + path, data, HEADERS)

        assert sound(status, told), (path, body, status, told)

    await asyncio.to_thread(send)


async def test_visits_with_any_text(web: Web, ask: Any) -> None:
    """A visit whose fields are of the right kind is served, whatever stands in them."""

    @QUIET
    @given(body=GOOD_VISITS)
    def send(body: Any) -> None:
        data = json.dumps(body).encode()
        status, told = ask("POST", f"{web.public_url}/v1/visits", data, HEADERS)

        assert status == 200, (body, status, told)
        assert told["number"]["e164"].startswith("+7495")

    await asyncio.to_thread(send)


async def test_bytes_of_every_kind(web: Web, ask: Any) -> None:
    """What is no JSON is refused as such."""

    @QUIET
    @given(path=st.sampled_from(PATHS), data=st.binary(max_size=300))
    def send(path: str, data: bytes) -> None:
        status, told = ask("POST", web.public_url + path, data, HEADERS)

        assert sound(status, told), (path, data, status, told)

    await asyncio.to_thread(send)


async def test_questions_of_every_kind(web: Web, ask: Any) -> None:
    """The staff API, with a token: paths and queries that nobody thought of."""
    headers = {"Authorization": f"Bearer {web.token}"}
    word = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
    query = st.dictionaries(st.sampled_from(["limit", "before", "state", "x"]) | word, word)

    @QUIET
    @given(path=st.sampled_from(["/v1/calls", "/v1/calls/", "/"]), tail=word, query=query)
    def send(path: str, tail: str, query: dict[str, str]) -> None:
        url = f"{web.staff_url}{path}{quote(tail)}?{urlencode(query)}"
        status, told = ask("GET", url, b"", headers)

        assert sound(status, told) or status == 303, (url, status, told)

    await asyncio.to_thread(send)


async def first_line(port: int, head: bytes) -> bytes:
    """What is answered to a head that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    line = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    return line


async def test_bytes_that_are_no_text(web: Web) -> None:
    """In a token, a cookie, an origin, a query: refused as any other wrong one."""
    calls = b"GET /v1/calls%s HTTP/1.1\r\n"
    token = b"Authorization: Bearer " + web.token.encode()
    staff, public = web.staff.port, web.public.port
    lines = [
        await first_line(staff, calls % b"" + b"Authorization: Bearer ct_\xff"),
        await first_line(staff, calls % b"" + b"Cookie: call_router_8081=\xff"),
        await first_line(staff, calls % b"?before=%00" + token),
        await first_line(public, b"OPTIONS /v1/visits HTTP/1.1\r\nOrigin: http://\xff"),
    ]

    assert [line.split()[1] for line in lines] == [b"401", b"401", b"400", b"403"]
