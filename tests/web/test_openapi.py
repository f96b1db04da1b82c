"""The OpenAPI document tells what the router does; readiness and metrics."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from pydantic import BaseModel

from router.services.readiness import Check
from router.web.openapi import plain_path
from router.web.schemas import HeartbeatBody, VisitBody
from router.web.server import ENDPOINTS
from tests.web.conftest import ORIGIN, SITE, Web
from tests.web.seed import a_call, a_session, an_event


@pytest.fixture
async def told(web: Web) -> dict[str, Any]:
    async with web.get("/openapi.json") as answer:
        assert answer.status == 200
        body: dict[str, Any] = await answer.json()
        return body


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def mismatches(document: dict[str, Any], schema: dict[str, Any], value: Any, at: str) -> list[str]:
    """Where `value` is not as `schema` says: kinds, missing and unknown fields, all the way down."""
    schema = resolve(document, schema)
    if "anyOf" in schema:
        found = [mismatches(document, each, value, at) for each in schema["anyOf"]]
        return [] if [] in found else [f"{at}: none of {schema['anyOf']}"]
    kinds = {
        "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
        "integer": int, "number": (int, float),
    }  # fmt: skip
    kind = schema.get("type")
    if kind and not isinstance(value, kinds[kind]):
        return [f"{at}: {value!r} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value!r} not in {schema['enum']}"]
    if kind == "array":
        each = schema.get("items", {})
        return [m for i, v in enumerate(value) for m in mismatches(document, each, v, f"{at}[{i}]")]
    if kind == "object" and "properties" in schema:
        wrong = [
            f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value
        ]
        wrong += [f"{at}.{name} is not told" for name in value if name not in schema["properties"]]
        for name, each in schema["properties"].items():
            if name in value:
                wrong += mismatches(document, each, value[name], f"{at}.{name}")
        return wrong
    return []


def test_every_route_is_told(web: Web, told: dict[str, Any]) -> None:
    """Public and staff; those that need a token say so."""
    routes = {
        (e.method.lower(), plain_path(e.path)) for app in web.applications for e in app[ENDPOINTS]
    }
    operations = {
        (m, path): op for path, methods in told["paths"].items() for m, op in methods.items()
    }
    names = [operation["operationId"] for operation in operations.values()]

    assert set(operations) == routes
    assert len(set(names)) == len(names)
    assert operations[("get", "/v1/calls/{ref}")]["security"] == [{"token": []}]
    assert "security" not in operations[("post", "/v1/visits")]
    assert operations[("get", "/health")]["tags"] == ["public", "staff"]
    assert all(op["responses"] and op["summary"].endswith((".", "?")) for op in operations.values())


def test_every_reference_leads_somewhere(told: dict[str, Any]) -> None:
    """And every parameter of a path is declared."""
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', str(told).replace("'", '"')))

    assert references <= told["components"]["schemas"].keys()
    for path, methods in told["paths"].items():
        for operation in methods.values():
            declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))


@pytest.mark.parametrize(
    ("path", "model"), [("/v1/visits", VisitBody), ("/v1/heartbeats", HeartbeatBody)]
)
def test_bodies_are_those_that_are_read(
    told: dict[str, Any], path: str, model: type[BaseModel]
) -> None:
    """The schema of a body is the model's own, under both media types."""
    content = told["paths"][path]["post"]["requestBody"]["content"]
    fields = resolve(told, content["application/json"]["schema"])

    assert content["application/json"] == content["text/plain"]
    assert fields["properties"].keys() == model.model_fields.keys()
    assert set(fields["required"]) == {n for n, f in model.model_fields.items() if f.is_required()}


async def test_answers_are_as_told(web: Web, told: dict[str, Any]) -> None:
    """Each JSON answer, good and bad, matches the schema of its status."""
    session = await a_session(web.database, web.clock.now)
    attribution = {"session_id": session, "runners_up": [{"p": 0.1, "source": "x"}]}
    ref = await a_call(
        web.database, web.clock.now, attribution=attribution, recording="x.raw", recording_bytes=4
    )
    await an_event(web.database, ref, web.clock.now, "CT_IN", {"did": "1"})
    visit = {"site": SITE, "url": f"{ORIGIN}/"}
    shown = await web.visit()
    held = {"session": shown["session"], "token": shown["token"]}
    beat = {"site": SITE, **held, "visible": True, "input": True}
    requests = [
        ("post", "/v1/visits", "/v1/visits", web.post("/v1/visits", visit)),
        ("post", "/v1/visits", "/v1/visits", web.post("/v1/visits", {})),
        (
            "post",
            "/v1/visits",
            "/v1/visits",
            web.post("/v1/visits", {**visit, "site": "other-site"}),
        ),
        ("post", "/v1/heartbeats", "/v1/heartbeats", web.post("/v1/heartbeats", beat)),
        ("get", "/v1/calls", "/v1/calls", web.get("/v1/calls")),
        ("get", "/v1/calls", "/v1/calls", web.get("/v1/calls?limit=0")),
        ("get", "/v1/calls/{ref}", "", web.get(f"/v1/calls/{ref}")),
        ("get", "/v1/calls/{ref}", "", web.get("/v1/calls/no-such-call")),
        ("get", "/v1/calls/{ref}", "", web.client.get(f"{web.staff_url}/v1/calls/{ref}")),
        ("get", "/ready", "/ready", web.client.get(f"{web.staff_url}/ready")),
        ("get", "/health", "/health", web.client.get(f"{web.public_url}/health")),
    ]
    statuses, wrong = [], []
    for method, path, _, request in requests:
        async with request as answer:
            statuses.append(answer.status)
            responses = told["paths"][path][method]["responses"]
            schema = responses[str(answer.status)]["content"]["application/json"]["schema"]
            wrong += mismatches(told, schema, await answer.json(), f"{method} {path}")

    assert statuses == [200, 400, 404, 200, 200, 400, 200, 404, 401, 200, 200]
    assert wrong == []


async def test_readiness_tells_each_part(web: Web) -> None:
    """To staff in words; to the public only whether. One that fails or hangs is not ready."""

    async def broken() -> Check:
        raise OSError("no route to host")

    async def hanging() -> Check:
        await asyncio.sleep(30)
        return Check(ok=True, words="never")

    async with web.client.get(f"{web.staff_url}/ready") as answer:
        assert (answer.status, (await answer.json())["ready"]) == (200, True)
    web.probes |= {"ami": broken, "failsafe": hanging}
    async with web.client.get(f"{web.staff_url}/ready") as answer:
        told = await answer.json()
    async with web.client.get(f"{web.public_url}/ready") as public:
        bare = await public.json()

    assert (answer.status, public.status) == (503, 503)
    assert told["parts"] == {
        "database": {"ok": True, "words": "well", "figures": {"seconds": 0.001}},
        "ami": {"ok": False, "words": "no route to host", "figures": {}},
        "failsafe": {"ok": False, "words": "no answer within 1 s", "figures": {}},
    }
    assert {part["words"] for part in bare["parts"].values()} == {""}


async def test_metrics(web: Web) -> None:
    """Counters by route, not by path: no call, no phone in a label."""
    await web.visit()
    ref = await a_call(web.database, web.clock.now)
    async with web.get(f"/v1/calls/{ref}"):
        pass
    async with web.get("/metrics") as answer:
        text = await answer.text()

    assert 'call_router_ready{part="database"} 1.0' in text
    assert 'call_router_part{figure="seconds",part="database"} 0.001' in text
    assert f'call_router_snippet_requests_total{{site="{SITE}",verdict="free"}} 1.0' in text
    assert 'http_requests_total{listener="staff",path="/v1/calls/{ref}",status="200"} 1.0' in text
    assert ref not in text
