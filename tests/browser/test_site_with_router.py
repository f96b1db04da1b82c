"""A customer's site on several hosts of one domain, the router on another of them; all of it real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page
from prometheus_client import CollectorRegistry

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
from router.web.rendered import Rendered
from router.web.snippet_file import SnippetFile
from router.web.throttle import Throttle
from tests.browser.conftest import ready
from tests.browser.servers import Company
from tests.company import BROWSER

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY, DOMAIN = "shop-key-1", "shop.localhost"
SALES, SERVICE = "+74951350000", "+74951350011"
BODY = """<p id="sales">8 (495) 135-00-00</p><p id="service">8 (495) 135-00-11</p>"""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """`www` and `blog` are hosts of the site, `calls` is the router's."""

    database: Database
    company: Company
    www: str
    blog: str
    calls: str

    def page(self, path: str, attributes: str = "") -> None:
        script = f"<script async src='{self.calls}/ct.js' data-site='{KEY}' {attributes}></script>"
        self.company.pages[path] = f"<!doctype html><head>{script}</head><body>{BODY}</body>"

    async def sessions(self) -> list[Any]:
        rows: list[Any] = await self.database._pool.fetch("SELECT * FROM session ORDER BY id")
        return rows


def clock() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def shop(dsn: str) -> AsyncIterator[Shop]:
    """Two page numbers, each with a dynamic pool of its own; the cookie's domain is set."""
    database = await Database.connect(dsn, connections=4)
    visits = Visits(database)
    serving = asyncio.create_task(visits.run())
    runner = web.AppRunner(_application(database, visits))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.push_async_callback(_end, serving)
        stack.push_async_callback(runner.cleanup)
        company = stack.enter_context(Company())
        own = urlsplit(company.url).port
        running = Shop(
            database=database,
            company=company,
            www=f"http://www.{DOMAIN}:{own}",
            blog=f"http://blog.{DOMAIN}:{own}",
            calls=f"http://calls.{DOMAIN}:{port}",
        )
        await _set_up(running)
        running.page("/")
        yield running


async def _end(serving: asyncio.Task[None]) -> None:
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


def _application(database: Database, visits: Visits) -> web.Application:
    metrics, throttle = WebMetrics(CollectorRegistry()), Throttle()
    parts: dict[str, Any] = {"throttle": throttle, "metrics": metrics, "clock": clock}
    endpoints = [
        *Collect(visits=visits, inventory=Inventory(database), **parts).endpoints(),
        *Rendered(visits=visits, **parts).endpoints(),
        *SnippetFile(Snippets(database), throttle).endpoints(),
    ]
    application = web.Application(
        middlewares=[edge("public", metrics, lambda request: request.remote or "")]
    )
    mount(application, endpoints)
    return application


async def _set_up(running: Shop) -> None:
    by = By(actor="test", now=clock())
    administration = Administration(running.database)
    await administration.add_organisation("Acme", by=by)
    await administration.add_target("office", endpoint="office", by=by)
    await administration.add_site(
        "shop",
        origins=[running.www, running.blog],
        region="RU",
        time_zone="Europe/Moscow",
        default_number=SALES,
        page_numbers=[SALES, SERVICE],
        target="office",
        key=KEY,
        by=by,
    )
    await administration.set_cookie_domain("shop", DOMAIN, by=by)
    for pool, last in (("sales", "01"), ("service", "91")):
        await administration.add_pool(pool, site="shop", policy="longest_idle", by=by)
        await administration.add_numbers([f"+749511100{last}"], pool=pool, by=by)
    await administration.serve_page_number("service", SERVICE, by=by)


@asynccontextmanager
async def visitor(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A person's browser: what calls itself headless is served as a bot."""
    context = await browser.new_context(user_agent=BROWSER)
    yield context
    await context.close()


async def texts(page: Page) -> list[str]:
    await ready(page)
    return [await page.inner_text("#sales"), await page.inner_text("#service")]


async def test_one_number_over_sub_domains_and_tabs(browser: Browser, dsn: str) -> None:
    """The cookie of the domain makes it one visitor: there is one number in each pool, and he has both."""
    async with shop(dsn) as running, visitor(browser) as context:
        first, second, third = [await context.new_page() for _ in range(3)]
        await first.goto(running.www + "/?utm_source=google")
        shown = await texts(first)
        await second.goto(running.blog + "/")
        await third.goto(running.www + "/")
        cookies = [c for c in await context.cookies() if c.get("name") == f"ct_{KEY}"]

        assert shown == ["8 (495) 111-00-01", "8 (495) 111-00-91"]
        assert await texts(second) == await texts(third) == shown
        assert len(await running.sessions()) == 2
        assert [cookie.get("domain") for cookie in cookies] == [f".{DOMAIN}"]
        assert cookies[0].get("httpOnly")
        # another visitor finds both pools empty, and the page as it was
        async with visitor(browser) as stranger:
            page = await stranger.new_page()
            await page.goto(running.www + "/")
            assert await texts(page) == ["8 (495) 135-00-00", "8 (495) 135-00-11"]


async def test_without_consent_there_is_no_cookie_and_no_session(
    browser: Browser, dsn: str
) -> None:
    """Granted on the open page it becomes a visit; taken back, the cookie is gone."""
    async with shop(dsn) as running, visitor(browser) as context:
        running.page("/", "data-consent='denied'")
        page = await context.new_page()
        await page.goto(running.www + "/")
        assert await texts(page) == ["8 (495) 135-00-00", "8 (495) 135-00-11"]
        assert await context.cookies() == []
        assert await running.sessions() == []
        await page.evaluate("callRouter.consent('granted')")
        await page.wait_for_function("callRouter.session")
        assert await texts(page) == ["8 (495) 111-00-01", "8 (495) 111-00-91"]
        async with page.expect_response("**/v1/visits"):
            await page.evaluate("callRouter.consent('denied')")
        await page.wait_for_function("callRouter.number.e164 === '+74951350000'")

        assert await context.cookies() == []
        async with asyncio.timeout(5):
            while [row["gone_kind"] for row in await running.sessions()] != ["close", "close"]:
                await asyncio.sleep(0.05)


async def test_a_page_that_a_server_put_together_goes_on_with_its_visitor(
    browser: Browser, dsn: str
) -> None:
    """The server asks, writes the number into the page and hands the visitor on to the snippet."""
    async with shop(dsn) as running, visitor(browser) as context:
        by = By(actor="test", now=clock())
        token = await Administration(running.database).new_server_token("shop", by=by)
        answer = await context.request.get(
            running.calls.replace(f"calls.{DOMAIN}", "127.0.0.1") + "/v1/number",
            params={"site": KEY, "url": f"{running.www}/", "user_agent": BROWSER},
            headers={"Authorization": f"Bearer {token}"},
        )
        told = await answer.json()
        e164 = told["number"]["e164"]
        running.page("/", f"data-shown='{e164}' data-visitor='{told['visitor']}'")
        running.company.pages["/"] = running.company.pages["/"].replace(
            "8 (495) 135-00-00", told["number"]["national"]
        )
        page = await context.new_page()
        await page.goto(running.www + "/")

        assert e164 == "+74951110001"
        assert await texts(page) == ["8 (495) 111-00-01", "8 (495) 111-00-91"]
        assert await page.evaluate("callRouter.session") == told["session"]
        assert len(await running.sessions()) == 2


async def test_a_number_written_by_a_server_is_replaced_when_it_is_another_by_now(
    browser: Browser, dsn: str
) -> None:
    """A page that was kept too long shows what the visitor has, not what somebody had."""
    async with shop(dsn) as running, visitor(browser) as context:
        running.page("/", "data-shown='+74951110055'")
        running.company.pages["/"] = running.company.pages["/"].replace(
            "8 (495) 135-00-00", "8 (495) 111-00-55"
        )
        page = await context.new_page()
        await page.goto(running.www + "/")

        assert await texts(page) == ["8 (495) 111-00-01", "8 (495) 111-00-91"]


async def test_debug_mode_says_which_rule_matched(browser: Browser, dsn: str) -> None:
    """For each number of the page, in the router's words; the pools' names are in them."""
    async with shop(dsn) as running, visitor(browser) as context:
        said: list[str] = []
        page = await context.new_page()
        page.on("console", lambda message: said.append(message.text))
        await page.goto(running.www + "/?ct_debug=1")
        await ready(page)
        why = next(line for line in said if line.startswith("[call-router] why"))

        assert "sales" in why
        assert "service" in why
