"""Is the process alive, and is it ready; what Prometheus reads."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from prometheus_client import Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import Field

from router.services.live import Live
from router.services.readiness import Check, Readiness
from router.web.answers import json_answer
from router.web.endpoint import Endpoint
from router.web.metrics import WebMetrics
from router.web.schemas import Answer


class Alive(Answer):
    alive: bool = True


class Part(Answer):
    """One part this router needs. Words and figures only on the staff listener."""

    ok: bool
    words: str = Field("", examples=["connected, 12 ms"])
    figures: dict[str, float] = Field(default_factory=dict)


class Ready(Answer):
    ready: bool
    parts: dict[str, Part]


class Health:
    """`in_words`: on the public listener only whether, not why."""

    def __init__(self, readiness: Readiness, *, in_words: bool) -> None:
        self._readiness = readiness
        self._in_words = in_words

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/health",
                handler=self.health,
                summary="The process is alive.",
                answers={200: Alive},
                open=True,
            ),
            Endpoint(
                method="GET",
                path="/ready",
                handler=self.ready,
                summary="Everything that this router needs is there.",
                answers={200: Ready, 503: Ready},
                open=True,
            ),
        ]

    async def health(self, _request: web.Request) -> web.StreamResponse:
        return json_answer(Alive())

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        parts = await self._readiness.report()
        ready = all(check.ok for check in parts.values())
        body = Ready(ready=ready, parts={name: self._part(c) for name, c in parts.items()})
        return json_answer(body, 200 if ready else 503)

    def _part(self, check: Check) -> Part:
        if not self._in_words:
            return Part(ok=check.ok)
        return Part(ok=check.ok, words=check.words, figures=dict(check.figures))


class Metrics:
    """What Prometheus reads: counters of this process, and the readiness of its parts as gauges."""

    def __init__(self, metrics: WebMetrics, readiness: Readiness, live: Live) -> None:
        self._metrics = metrics
        self._readiness = readiness
        self._live = live
        self._ready = Gauge(
            "call_router_ready", "1 if the part is ready.", ("part",), registry=metrics.registry
        )
        self._figures = Gauge(
            "call_router_part",
            "What a part says of itself; see /ready.",
            ("part", "figure"),
            registry=metrics.registry,
        )

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET",
                path="/metrics",
                handler=self.metrics,
                summary="Counters for Prometheus.",
                answers={200: "text/plain"},
                errors=(401,),
            )
        ]

    async def metrics(self, _request: web.Request) -> web.StreamResponse:
        self._note(await self._readiness.report())
        self._metrics.feeds.set(self._live.subscribers)
        return web.Response(
            body=generate_latest(self._metrics.registry),
            headers={"Content-Type": CONTENT_TYPE_LATEST},
        )

    def _note(self, parts: Mapping[str, Check]) -> None:
        for name, check in parts.items():
            self._ready.labels(name).set(1 if check.ok else 0)
            for figure, value in check.figures.items():
                self._figures.labels(name, figure).set(value)
