"""The snippet, the demo site and the router's own edge, services and database together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext
from prometheus_client import CollectorRegistry

from router.firstrun.demo_site_server import DEFAULT_NUMBER, DemoSite
from router.services.administration import Administration
from router.services.inventory import Inventory
from router.services.snippets import Snippets
from router.services.visits import Visits
from router.services.work import By
from router.store.database import Database
from router.web.collect import Collect
from router.web.edge import edge
from router.web.endpoint import mount
from router.web.metrics import WebMetrics
from router.web.snippet_file import SnippetFile
from router.web.throttle import Throttle
from tests.browser.conftest import ready
from tests.company import BROWSER

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "demo-site-key"
POOL = ("+74951110001", "+74951110002")


@dataclass(frozen=True, kw_only=True)
class Running:
    """A router with a demo site."""

    database: Database
    site: DemoSite

    async def session(self) -> dict[str, object]:
        """The only session there is."""
        rows = await self.database._pool.fetch("SELECT * FROM session")
        assert len(rows) == 1
        return dict(rows[0])

    async def until(self, column: str) -> None:
        """Wait until the session's `column` is filled."""
        async with asyncio.timeout(5):
            while (await self.session())[column] is None:
                await asyncio.sleep(0.05)


def clock() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(dsn: str) -> AsyncIterator[Running]:
    """The public edge on a free port, a demo company with one pool of two numbers."""
    database = await Database.connect(dsn, connections=4)
    visits = Visits(database)
    serving = asyncio.create_task(visits.run())
    runner = web.AppRunner(_application(database, visits))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    with DemoSite(0, KEY, f"http://{host}:{port}", DEFAULT_NUMBER) as site:
        await _set_up(database, site.url)
        yield Running(database=database, site=site)
    await runner.cleanup()
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    await database.close()


def _application(database: Database, visits: Visits) -> web.Application:
    metrics, throttle = WebMetrics(CollectorRegistry()), Throttle()
    collect = Collect(
        visits=visits,
        inventory=Inventory(database),
        throttle=throttle,
        metrics=metrics,
        clock=clock,
    )
    application = web.Application(
        middlewares=[edge("public", metrics, lambda request: request.remote or "")]
    )
    files = SnippetFile(Snippets(database), throttle)
    mount(application, [*collect.endpoints(), *files.endpoints()])
    return application


async def _set_up(database: Database, origin: str) -> None:
    by = By(actor="test", now=clock())
    administration = Administration(database)
    await administration.add_organisation("Clearpane", by=by)
    await administration.add_target("office", endpoint="office", by=by)
    await administration.add_site(
        "demo",
        origins=[origin],
        region="RU",
        time_zone="Europe/Moscow",
        default_number=DEFAULT_NUMBER,
        target="office",
        key=KEY,
        by=by,
    )
    await administration.add_pool("visitors", site="demo", by=by)
    await administration.add_numbers(POOL, pool="visitors", by=by)


@asynccontextmanager
async def visitor(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A person's browser: what calls itself headless is served as a bot."""
    context = await browser.new_context(user_agent=BROWSER)
    yield context
    await context.close()


async def test_a_visit_from_landing_to_leaving(browser: Browser, dsn: str) -> None:
    """Number, second page, heartbeat, tap, leaving: each is found in the database."""
    async with running(dsn) as router, visitor(browser) as context:
        page = await context.new_page()
        await page.goto(
            f"{router.site.url}/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=x"
        )
        shown = (await ready(page))["e164"]
        landed = await router.session()
        await page.click("text=Contacts")
        await page.wait_for_url("**/contacts.html")

        assert shown in POOL
        assert (await ready(page))["e164"] == shown
        assert await page.get_attribute("#head-phone", "href") == f"tel:{shown}"
        assert (landed["source"], landed["campaign"], landed["shown"]) == (
            "google",
            "spring",
            shown,
        )

        async with page.expect_response("**/v1/heartbeats") as heartbeat:
            pass
        assert (await (await heartbeat.value).json())["how"] == "kept"
        await page.evaluate("document.addEventListener('click', event => event.preventDefault())")
        await page.click("#head-phone")
        await router.until("tapped_at")
        await page.goto("about:blank")
        await router.until("gone_at")
        assert (await router.session())["gone_kind"] == "close"


async def test_a_bot_sees_the_companys_own_number_and_is_not_asked_again_and_again(
    browser: Browser, dsn: str
) -> None:
    """It has no session: after one more try its page is silent."""
    async with running(dsn) as router:
        context = await browser.new_context()
        page = await context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
        await page.clock.install()
        await page.goto(router.site.url)
        assert (await ready(page))["e164"] == DEFAULT_NUMBER
        for _ in range(4):
            await page.clock.run_for(3100)
            await page.wait_for_timeout(200)

        assert await page.inner_text("#head-phone") == "8 (495) 135-00-00"
        assert [what for what in asked if what in ("visits", "heartbeats")] == [
            "visits",
            "heartbeats",
        ] * 2
        await context.close()
