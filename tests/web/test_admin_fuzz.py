"""Whatever is sent to the admin API, it answers below 500 and says why; built from its own document."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.web.openapi import plain_path
from router.web.server import ENDPOINTS
from tests.web.conftest import Web
from tests.web.test_fuzz import ANYTHING
from tests.web.test_openapi import resolve

NOT_HERE = ("/live", "/sign", "/static", "/v1/calls", "/v1/feed", "/health", "/ready", "/metrics")
SEARCH = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_TEXT = st.text(max_size=40) | st.sampled_from(["\0", "a\0b", "\u202e", "'; --", "%", "9" * 400])
_IDS = st.sampled_from(["1", "2", "0", "999", "9" * 18])
_NUMBERS = st.sampled_from(["+74951110001", "74951110002", "+74959999999", "%2B74951110003"])


@pytest.fixture
async def told(web: Web) -> dict[str, Any]:
    async with web.get("/openapi.json") as answer:
        body: dict[str, Any] = await answer.json()
        return body


def operations(web: Web) -> list[tuple[str, str]]:
    """Method and path of everything that administers."""
    _, staff = web.applications
    return [
        (endpoint.method, plain_path(endpoint.path))
        for endpoint in staff[ENDPOINTS]
        if endpoint.path != "/" and not endpoint.path.startswith(NOT_HERE)
    ]


def examples(document: dict[str, Any], schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What its field says is good, or anything else."""
    known = schema.get("examples") or resolve(document, schema).get("examples") or []
    good = st.sampled_from(known) if known else st.nothing()
    return good | good | st.none() | _TEXT | st.integers() | ANYTHING


def bodies(document: dict[str, Any], operation: dict[str, Any]) -> st.SearchStrategy[bytes]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return st.binary(max_size=200) | _TEXT.map(lambda text: text.encode())
    schema = resolve(document, content["application/json"]["schema"])
    fields = {
        name: examples(document, field) for name, field in schema.get("properties", {}).items()
    }
    required = {name: fields.pop(name) for name in schema.get("required", [])}
    shaped = st.fixed_dictionaries(required, optional=fields)
    return (shaped | shaped | ANYTHING).map(lambda body: json.dumps(body).encode())


def queries(document: dict[str, Any], operation: dict[str, Any]) -> st.SearchStrategy[str]:
    fields = {
        parameter["name"]: examples(document, parameter["schema"]).map(str)
        for parameter in operation["parameters"]
        if parameter["in"] == "query"
    }
    return st.fixed_dictionaries({}, optional=fields).map(
        lambda query: urlencode(query, errors="replace")
    )


async def test_no_request_breaks_the_admin_api(web: Web, told: dict[str, Any]) -> None:
    """Every operation with good and bad paths, queries, headers and bodies; then it still serves."""
    loop = asyncio.get_running_loop()

    async def requested(
        method: str, url: str, data: bytes, headers: dict[str, str]
    ) -> tuple[int, str]:
        async with web.client.request(method, url, data=data, headers=headers) as answer:
            return answer.status, await answer.text()

    @SEARCH
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        method, path = data.draw(st.sampled_from(operations(web)))
        operation = told["paths"][path][method.lower()]
        filled = re.sub(r"{(id|\w*_id)}", lambda _: data.draw(_IDS), path)
        filled = filled.replace("{number}", data.draw(_NUMBERS))
        filled = filled.replace("{key}", data.draw(st.sampled_from(["radio", "google_ads"])))
        filled = re.sub(r"{\w+}", lambda _: quote(data.draw(_TEXT), safe=""), filled)
        url = f"{web.staff_url}{filled}?{data.draw(queries(told, operation))}"
        body = data.draw(bodies(told, operation)) if method != "GET" else b""
        headers = {
            "Authorization": f"Bearer {web.token}",
            "Content-Type": next(
                iter(operation.get("requestBody", {}).get("content", {})), "application/json"
            ),
        }
        if data.draw(st.booleans()):
            headers["Idempotency-Key"] = data.draw(st.sampled_from(["a", "b", "x y", "k" * 300]))
        work = requested(method, url, body, headers)
        status, text = asyncio.run_coroutine_threadsafe(work, loop).result(30)

        assert status < 500, (method, url, body, text)
        if status >= 400:
            refused = json.loads(text)
            assert refused["error"], (method, url, body)
            assert refused["message"], (method, url, body)
            assert str(status) in operation["responses"] or status == 404, (method, url, status)

    await asyncio.to_thread(send)
    async with web.get("/v1/organisation") as answer:
        assert answer.status == 200


def test_every_write_is_told_whole(web: Web, told: dict[str, Any]) -> None:
    """Its body's fields have examples, its refusals are told, it takes a key, and needs a writing token."""
    bare = []
    for method, path in operations(web):
        operation = told["paths"][path][method.lower()]
        if method == "GET":
            assert operation["x-token-scope"] == "read"
        if operation["x-token-scope"] == "read":
            continue
        names = {parameter["name"] for parameter in operation["parameters"]}
        # a kept answer would keep the secret
        assert ("Idempotency-Key" in names) is not path.endswith("-token"), (method, path)
        assert operation["x-token-scope"] == "write"
        assert {"400", "401", "403", "409", "422", "503"} <= operation["responses"].keys()
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            schema = resolve(told, content["application/json"]["schema"])
            assert schema["additionalProperties"] is False, (method, path)
            bare += [
                f"{path}.{name}"
                for name, field in schema["properties"].items()
                if not field.get("examples")
            ]

    assert bare == []
