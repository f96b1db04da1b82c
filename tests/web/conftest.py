"""Both applications on a real database, on free ports of the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import structlog
from aiohttp import web as aiohttp_web
from prometheus_client import CollectorRegistry

from router import log
from router.firstrun.postgres import PostgresServer
from router.services.access import Access
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.live import Live
from router.services.metrics import CallMetrics
from router.services.readiness import Check, Probe, Readiness
from router.services.recordings import Recordings
from router.services.reports import Reports
from router.services.snippets import Snippets
from router.services.visits import Visits
from router.services.work import By
from router.settings import Address, Settings
from router.store.database import Database
from router.web.guard import Bounds, Listener
from router.web.server import Parts, applications
from router.web.throttle import Limits
from tests.conftest import MONDAY, create_database

ORIGIN = "https://shop.example"
SITE = "shop-key-1"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
MANY = Limits(
    network_visits=10_000, network_signals=10_000, site_visits=10_000, failed_sign_ins=10_000
)

LogLines = Callable[[], list[dict[str, Any]]]


@dataclass
class Clock:
    """The time that the applications see; tests move it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Web:
    """Both applications running, and a client."""

    parts: Parts
    database: Database
    clock: Clock
    public: Listener
    staff: Listener
    client: aiohttp.ClientSession
    probes: dict[str, Probe]
    applications: tuple[aiohttp_web.Application, aiohttp_web.Application]
    token: str = ""

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.public.port}"

    @property
    def staff_url(self) -> str:
        return f"http://127.0.0.1:{self.staff.port}"

    def post(self, path: str, body: Any, **options: Any) -> Any:
        """A request as the snippet makes it."""
        headers = {"Origin": ORIGIN, "User-Agent": BROWSER, **options.pop("headers", {})}
        return self.client.post(self.public_url + path, json=body, headers=headers, **options)

    def get(self, path: str, **options: Any) -> Any:
        """A request of a program with a token."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.get(self.staff_url + path, headers=headers, **options)

    async def visit(self, **body: Any) -> dict[str, Any]:
        asked = {"site": SITE, "url": f"{ORIGIN}/?utm_source=google&utm_medium=cpc", **body}
        async with self.post("/v1/visits", asked) as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, Any] = await answer.json()
            return found


async def set_up_company(database: Database, now: datetime) -> None:
    """A company with a site, a dynamic pool of three numbers and a static number."""
    administration, by = Administration(database), By(actor="test", now=now)
    await administration.add_organisation("Acme", by=by)
    await administration.add_target("office", endpoint="office", by=by)
    await administration.add_trunk("carrier-1", target="office", by=by)
    await administration.add_site(
        "shop",
        origins=[ORIGIN],
        region="RU",
        time_zone="Europe/Moscow",
        default_number="+74951234567",
        target="office",
        key=SITE,
        by=by,
    )
    # what is asked here is the edge's business: a full pool has to be seen from outside
    await administration.add_pool(
        "ads", site="shop", rules=["source=google"], policy="longest_idle", by=by
    )
    await administration.add_numbers(
        [f"+7495111000{i}" for i in range(1, 4)], pool="ads", trunk="carrier-1", by=by
    )


async def always_well() -> Check:
    return Check(ok=True, words="well", figures={"seconds": 0.001})


@contextlib.asynccontextmanager
async def serving(
    database: Database,
    clock: Clock,
    *,
    limits: Limits = MANY,
    bounds: Bounds | None = None,
    staff_url: str = "http://127.0.0.1:8081",
    trusted: str = "",
    recordings_root: Path | None = None,
) -> AsyncIterator[Web]:
    probes: dict[str, Probe] = {"database": always_well}
    registry, live = CollectorRegistry(), Live()
    parts = Parts(
        visits=Visits(database, directory_seconds=0.2),
        inventory=Inventory(database),
        access=Access(database),
        reports=Reports(database),
        snippets=Snippets(database),
        recordings=Recordings(database, live, CallMetrics(registry), recordings_root),
        live=live,
        readiness=Readiness(probes),
        registry=registry,
        database=database,
        clock=clock,
        public_url="http://127.0.0.1:8080",
        staff_url=staff_url,
        version="0.0.0",
        limits=limits,
    )
    if trusted:
        settings = Settings.from_mapping(
            {
                "CALL_ROUTER_DATABASE_URL": "postgresql://x",
                "CALL_ROUTER_TRUSTED_PROXIES": trusted,
            }
        )
        parts = replace(parts, trusted_proxies=settings.trusted_proxies)
    public, staff = applications(parts)
    anywhere = Address(host="127.0.0.1", port=0)
    serve = asyncio.create_task(parts.visits.run())
    # the readiness is asked for the probes that a test puts here afterwards
    parts.readiness._probes = probes
    try:
        async with (
            Listener(public, anywhere, bounds=bounds, shutdown_seconds=1) as public_listener,
            Listener(staff, anywhere, bounds=bounds, shutdown_seconds=1) as staff_listener,
            aiohttp.ClientSession() as client,
        ):
            yield Web(
                parts=parts,
                database=database,
                clock=clock,
                public=public_listener,
                staff=staff_listener,
                client=client,
                probes=probes,
                applications=(public, staff),
            )
    finally:
        serve.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serve


@pytest.fixture
def log_lines() -> Iterator[LogLines]:
    """What was logged since, as JSON."""
    stream, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level
    log.configure(style="json", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:], root.level = before


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture(scope="session")
def company_template(postgres_server: PostgresServer, template_database: str) -> str:
    """A database with the company in it, that tests clone."""
    name = "template_company"

    async def make() -> None:
        dsn = await create_database(postgres_server, name, template_database)
        database = await Database.connect(dsn, connections=1)
        await set_up_company(database, MONDAY)
        await database.close()

    asyncio.run(make())
    return name


async def drop_database(server: PostgresServer, name: str) -> None:
    """A hundred databases left behind take the server half a minute to stop."""
    admin = await asyncpg.connect(server.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture
async def company(
    postgres_server: PostgresServer, company_template: str
) -> AsyncIterator[Database]:
    name = f"test_{secrets.token_hex(6)}"
    dsn = await create_database(postgres_server, name, company_template)
    database = await Database.connect(dsn, connections=8)
    yield database
    await database.close()
    await drop_database(postgres_server, name)


@pytest.fixture
def recordings_root(tmp_path: Path) -> Path:
    """Asterisk's recordings folder."""
    root = tmp_path / "monitor"
    root.mkdir()
    return root


@pytest.fixture
async def web(company: Database, clock: Clock, recordings_root: Path) -> AsyncIterator[Web]:
    async with serving(company, clock, recordings_root=recordings_root) as running:
        running.token = await running.parts.access.create_token(
            "tests", scope="write", actor="test", now=clock.now
        )
        yield running
