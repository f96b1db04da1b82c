"""A small company in the database, and calls to it, for tests of calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from prometheus_client import CollectorRegistry

from router.domain.model import Arrival, CallEvent
from router.services.calls import Calls
from router.services.clocks import Clocks
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.services.upkeep import Upkeep
from router.store.database import Database
from tests.transcripts.read import rows

NUMBER = "+74951234567"
COMPANY = """
INSERT INTO organisation (name, created_at) VALUES ('Acme', '2026-09-01');
INSERT INTO trunk (organisation_id, name, created_at) VALUES (1, 'trunk1', '2026-09-01');
INSERT INTO target (organisation_id, name, kind, endpoint, created_at)
VALUES (1, 'office', 'endpoint', 'company', '2026-09-01');
INSERT INTO target (organisation_id, name, kind, e164, trunk_id, created_at)
VALUES (1, 'loop', 'pstn', '+74951234568', 1, '2026-09-01');
INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, page_numbers,
                  target_id, created_at)
VALUES (1, 'acmekey12', 'Acme', '{}', 'RU', 'UTC', '+74951230000', '{}', 1, '2026-09-01');
INSERT INTO pool (organisation_id, site_id, name, kind, default_number, source, medium, record, created_at)
VALUES (1, 1, 'ads', 'dynamic', '+74951230001', 'google', 'cpc', true, '2026-09-01'),
       (1, 1, 'maps', 'static', NULL, 'yandex', 'maps', false, '2026-09-01');
INSERT INTO number (organisation_id, e164, pool_id, created_at)
VALUES (1, '+74951234567', 1, '2026-09-01'), (1, '+74951234568', 1, '2026-09-01'),
       (1, '+74951230500', 2, '2026-09-01');
"""


@dataclass
class World:
    """Calls with what they need, and direct access to the tables."""

    database: Database
    calls: Calls
    clocks: Clocks
    live: Live
    registry: CollectorRegistry

    async def run(self, sql: str, *values: Any) -> Any:
        await self.calls.settled()
        return await self.database._pool.fetchval(sql, *values)

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        await self.calls.settled()
        return [dict(row) for row in await self.database._pool.fetch(sql, *values)]

    async def call(self, linkedid: str) -> dict[str, Any]:
        """The call's row with the attribution in force."""
        (found,) = await self.rows(
            "SELECT call.*, attribution.method, attribution.level, attribution.confidence,"
            " attribution.session_id, attribution.source, attribution.campaign, attribution.term,"
            " attribution.evidence, attribution.runners_up, attribution.inputs,"
            " (SELECT count(*) FROM attribution AS every WHERE every.call_id = call.id) AS decisions"
            " FROM call LEFT JOIN attribution ON attribution.id = call.attribution_id"
            " WHERE linkedid = $1",
            linkedid,
        )
        return found

    async def visit(
        self,
        number: str | None = NUMBER,
        *,
        began: datetime,
        seen: datetime | None = None,
        gone: datetime | None = None,
        tapped: datetime | None = None,
        source: str = "google",
        campaign: str = "spring",
        shown: str | None = None,
    ) -> int:
        """A visit that was shown `number` (or, without one, the default number `shown`)."""
        seen = seen or gone or began
        number_id = await self.run("SELECT id FROM number WHERE e164 = $1", number)
        session_id: int = await self.run(
            "INSERT INTO session (organisation_id, site_id, key, visitor, ordinal, started_at, seen_at,"
            " input_at, gone_at, gone_kind, tapped_at, device, landing_url, referrer, source, medium,"
            " campaign, term, content, click_ids, number_id, shown)"
            " VALUES (1, 1, $1, $2, 1, $3, $4, $4, $5, $6, $7, 'mobile', 'https://acme.example/', '',"
            " $8, 'cpc', $9, 'a term', '', '{}', $10, $11) RETURNING id",
            uuid4(),
            uuid4(),
            began,
            seen,
            gone,
            "hide" if gone else None,
            tapped,
            source,
            campaign,
            number_id,
            shown or number,
        )
        if number_id is not None:
            await self.run(
                "INSERT INTO reservation (organisation_id, number_id, session_id, pool_id, started_at)"
                " VALUES (1, $1, $2, 1, $3)",
                number_id,
                session_id,
                began,
            )
        return session_id


async def build(database: Database, *, patience: float = 5) -> World:
    """A site with a dynamic pool (…567, …568), a static one (…500), defaults (…000, …001)."""
    metrics_registry = CollectorRegistry()
    metrics = CallMetrics(metrics_registry)
    clocks, live = Clocks(metrics), Live()
    calls = Calls(database, live, Upkeep(database), metrics, clocks, patience=patience)
    world = World(database, calls, clocks, live, metrics_registry)
    await database._pool.execute(COMPANY)
    return world


def arrival(
    linkedid: str = "pbx1-1.0", did: str = "74951234567", caller: str = "+79161234567"
) -> Arrival:
    return Arrival(linkedid=linkedid, did=did, raw_did=f"+{did}", caller=caller, trunk="trunk1")


def retold(name: str, linkedid: str, at: datetime, **facts: str) -> list[CallEvent]:
    """A transcript's events as those of another call, that arrived at `at`; `facts` replace CT_IN's."""
    events = rows(name)
    old, shift = events[0].linkedid, at - events[0].at

    def renamed(event: CallEvent) -> CallEvent:
        data: Mapping[str, str] = {**event.data, **facts} if event.kind == "CT_IN" else event.data
        unique = linkedid if event.uniqueid == old else f"{linkedid}.leg"
        return replace(
            event,
            linkedid=linkedid,
            uniqueid=unique,
            at=event.at + shift,
            data=data,
            digest=event.digest[:8] + linkedid.encode()[-8:].rjust(8, b"0"),
        )

    return [renamed(event) for event in events]
