"""Counters of calls, for Prometheus. No phone, session or call in a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SETUP = (0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LOOKUP = (0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.01, 0.015, 0.025, 0.05, 0.1, 0.5)


class CallMetrics:
    """One for each registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter(
            "call_router_calls", "Calls that have ended.", ("site", "outcome"), registry=registry
        )
        self.setup = Histogram(
            "call_router_call_setup_seconds",
            "From the call's arrival at Asterisk to the first ring at the company.",
            buckets=_SETUP,
            registry=registry,
        )
        self.routes = Counter(
            "call_router_route_decisions",
            "Who chose the target of ended calls: the router or one of Asterisk's own records.",
            ("source",),
            registry=registry,
        )
        self.lookup = Histogram(
            "call_router_lookup_seconds",
            "From the question of Asterisk to the committed call.",
            buckets=_LOOKUP,
            registry=registry,
        )
        self.attributions = Counter(
            "call_router_attribution",
            "Decisions about calls, by method and by how far they reach.",
            ("method", "level"),
            registry=registry,
        )
        self.unanswered = Counter(
            "call_router_arrivals_unanswered",
            "Questions of Asterisk that were left to its own records, and why.",
            ("reason",),
            registry=registry,
        )
        self.events = Counter(
            "call_router_events",
            "Events of calls stored, by where they came from.",
            ("source",),
            registry=registry,
        )
        self.recordings = Counter(
            "call_router_recordings_bytes", "Bytes of recordings found.", registry=registry
        )
        self.recordings_missing = Counter(
            "call_router_recordings_missing",
            "Answered calls that were to be recorded and have no recording.",
            registry=registry,
        )
        self.recordings_truncated = Counter(
            "call_router_recordings_truncated", "Recordings that were cut.", registry=registry
        )
        self.ami_connected = Gauge(
            "call_router_ami_connected",
            "1 while logged in to Asterisk.",
            ("login",),
            registry=registry,
        )
        self.ami_lag = Gauge(
            "call_router_ami_lag_seconds",
            "How late the newest event was handled.",
            registry=registry,
        )
        self.ami_events_dropped = Counter(
            "call_router_ami_events_dropped",
            "Events not taken from AMI because too many waited; the file brings them.",
            registry=registry,
        )
        self.cel_rows_broken = Counter(
            "call_router_cel_rows_broken",
            "Rows of the call event file that could not be read.",
            registry=registry,
        )
        self.clock_skew = Gauge(
            "call_router_clock_skew_seconds",
            "How far another clock is ahead of the router's.",
            ("clock",),
            registry=registry,
        )
        self.agi_connections = Gauge(
            "call_router_agi_connections", "FastAGI connections open.", registry=registry
        )
        self.agi_refused = Counter(
            "call_router_agi_refused",
            "FastAGI connections closed without an answer.",
            ("reason",),
            registry=registry,
        )
