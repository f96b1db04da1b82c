"""OpenAPI 3.1, made from the table of endpoints and the schemas they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from router.web.endpoint import Content, Endpoint, Header
from router.web.schemas import Problem

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(?P<name>[a-z_]+)(?::(?P<pattern>(?:[^{}]|\{[^{}]*\})+))?\}")


def plain_path(path: str) -> str:
    """``/v1/calls/{ref:[a-z]+}`` → ``/v1/calls/{ref}``."""
    return _PARAMETER.sub(lambda found: "{" + found["name"] + "}", path)


def document(
    listeners: Mapping[str, Sequence[Endpoint]], servers: Mapping[str, str], version: str
) -> dict[str, Any]:
    """`listeners` and `servers` by the same names, e.g. ``public``. Paths that both serve are told once
    for each, by their own `servers`."""
    schemas = _Schemas(e for endpoints in listeners.values() for e in endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for listener, endpoints in listeners.items():
        for endpoint in endpoints:
            operation = _operation(endpoint, listener, schemas)
            known = paths.setdefault(plain_path(endpoint.path), {})
            method = endpoint.method.lower()
            if method in known:
                known[method]["tags"].append(listener)
                known[method]["servers"].append({"url": servers[listener]})
            else:
                known[method] = {**operation, "servers": [{"url": servers[listener]}]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "call-router",
            "version": version,
            "description": "Which advertisement made the phone ring, and how sure that is.",
        },
        "servers": [{"url": url, "description": name} for name, url in servers.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "ct_live_…"}
            },
        },
    }


class _Schemas:
    """The models that endpoints name: what is sent by its input form, what is answered by its output."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        wanted: dict[tuple[type[BaseModel], Any], None] = {(Problem, "serialization"): None}
        for endpoint in endpoints:
            if endpoint.body is not None:
                wanted[(endpoint.body, "validation")] = None
            for content in endpoint.answers.values():
                if isinstance(content, type):
                    wanted[(content, "serialization")] = None
        self._refs, found = models_json_schema(list(wanted), ref_template=_REF)
        self.definitions: dict[str, Any] = found.get("$defs", {})

    def ref(self, model: type[BaseModel], mode: Any) -> dict[str, Any]:
        return dict(self._refs[(model, mode)])


def _operation(endpoint: Endpoint, listener: str, schemas: _Schemas) -> dict[str, Any]:
    name = "_".join(re.findall(r"[a-z0-9]+", plain_path(endpoint.path))) or "home"
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()}_{name}",
        "summary": endpoint.summary,
        "tags": [listener],
        "parameters": [
            *_path_parameters(endpoint.path),
            *_query_parameters(endpoint.query),
            *_header_parameters(endpoint.headers),
        ],
        "responses": {
            str(status): _response(status, content, schemas)
            for status, content in sorted(endpoint.all_answers().items())
        },
    }
    if endpoint.body is not None:
        schema = {"schema": schemas.ref(endpoint.body, "validation")}
        operation["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(endpoint.accepts, schema),
        }
    elif endpoint.text_body:
        text = {"schema": {"type": "string"}}
        operation["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(endpoint.accepts, text),
        }
    if listener == "staff" and not endpoint.open:
        operation["security"] = [{"token": []}]
        operation["x-token-scope"] = endpoint.scope
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": found["name"],
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{found['pattern'] or '[^/]+'}$"},
        }
        for found in _PARAMETER.finditer(path)
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
    ]


def _header_parameters(headers: Sequence[Header]) -> list[dict[str, Any]]:
    return [
        {
            "name": header.name,
            "in": "header",
            "required": False,
            "description": header.description,
            "schema": {"type": "string", "maxLength": 255},
            "example": header.example,
        }
        for header in headers
    ]


def _response(status: int, content: Content, schemas: _Schemas) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(content, str):
        told["content"] = {content: {}}
    elif content is not None:
        told["content"] = {"application/json": {"schema": schemas.ref(content, "serialization")}}
    if status in (429, 503):
        told["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return told


class OpenApi:
    """Serves the document, made once."""

    path = "/openapi.json"

    def __init__(self) -> None:
        self._body = b""

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path=self.path,
                handler=self.serve,
                summary="This document.",
                answers={200: "application/json"},
                errors=(401,),
            )
        ]

    def tell(
        self, listeners: Mapping[str, Sequence[Endpoint]], servers: Mapping[str, str], version: str
    ) -> None:
        self._body = json.dumps(document(listeners, servers, version)).encode()

    async def serve(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._body, headers={"Content-Type": "application/json"})
