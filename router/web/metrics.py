"""Counters of both listeners, for Prometheus. No phone, session or call in a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class WebMetrics:
    """One for each registry; labels are children of known routes, so their number is bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests = Counter(
            "call_router_http_requests",
            "Requests answered.",
            ("listener", "path", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "call_router_http_request_seconds",
            "Time from a request's head to its answer.",
            ("listener", "path"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._snippet = Counter(
            "call_router_snippet_requests",
            "What became of the snippet's requests.",
            ("site", "verdict"),
            registry=registry,
        )
        self.feeds = Gauge(
            "call_router_live_feeds", "Live feeds open in this process.", registry=registry
        )
        self._visits: dict[tuple[str, str], Counter] = {}
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def visit(self, site: str, how: str) -> None:
        """A visit of a known site was served."""
        child = self._visits.get((site, how))
        if child is None:
            child = self._visits[(site, how)] = self._snippet.labels(site, how)
        child.inc()

    def answered(self, listener: str, path: str, status: int, seconds: float) -> None:
        key = (listener, path, status)
        children = self._children.get(key)
        if children is None:
            children = self._children[key] = (
                self._requests.labels(listener, path, str(status)),
                self._seconds.labels(listener, path),
            )
        requests, histogram = children
        requests.inc()
        histogram.observe(seconds)
