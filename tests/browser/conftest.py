"""One browser for the session; for each test a context, a company's site and an API of its own."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.browser import chromium
from tests.browser.servers import SITE_KEY, Company, FakeApi

CHECKOUT = Path(__file__).parents[2]
OpenPage = Callable[..., Awaitable[Page]]

# Looks at the page before each frame is painted: every text its phones ever showed, layout
# shifts, and for how long anything was hidden.
RECORDER = """
(() => {
  const seen = window.recorded = { texts: [], shifts: 0, hidden: 0, edits: [], paint: null };
  let last = performance.now();
  const look = (now) => {
    const phones = [...document.querySelectorAll('.phone')];
    const text = phones.map((el) => el.textContent).join(' | ');
    if (phones.length && text !== seen.texts[seen.texts.length - 1]) seen.texts.push(text);
    const unseen = (el) => {
      const style = getComputedStyle(el);
      return style.visibility !== 'visible' || style.opacity !== '1' || style.display === 'none';
    };
    if ([document.documentElement, document.body, ...phones].some((el) => el && unseen(el)))
      seen.hidden += now - last;
    last = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  new MutationObserver((records) => records.forEach((record) =>
    seen.edits.push({ at: performance.now(), text: record.target.data }))).observe(
      document, { subtree: true, characterData: true });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
    seen.shifts += entry.value; })).observe({ type: 'layout-shift', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
    if (entry.name === 'first-paint') seen.paint = entry.startTime; })).observe(
      { type: 'paint', buffered: true });
})();
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, started once."""
    found = chromium.find(CHECKOUT, os.environ)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=found.binary,
            env={**os.environ, **found.environment},
            args=list(chromium.ARGUMENTS),
            # Visitors go back through it, so the tests must be able to.
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor's browser with empty storages."""
    fresh = await browser.new_context(viewport={"width": 1200, "height": 800}, locale="en-GB")
    await fresh.add_init_script(RECORDER)
    yield fresh
    await fresh.close()


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The router's public API."""
    with FakeApi() as server:
        yield server


@pytest.fixture
def company() -> Iterator[Company]:
    """The company's own web server, another origin than the API's."""
    with Company() as server:
        yield server


@pytest.fixture
def open_page(context: BrowserContext, company: Company, api: FakeApi) -> OpenPage:
    """Open a page with this body and the snippet in its head; returns when it is loaded."""

    async def opened(
        body: str,
        *,
        path: str = "/",
        query: str = "",
        attributes: str = "",
        page: Page | None = None,
    ) -> Page:
        company.pages[path] = document(body, api.url, attributes)
        page = page or await context.new_page()
        await page.goto(company.url + path + query)
        return page

    return opened


def document(body: str, api_url: str, attributes: str = "") -> str:
    """A page with the snippet as the README tells people to put it in."""
    return (
        "<!doctype html><html><head><meta charset='utf-8'><title>8 (495) 135-00-00</title>"
        f"<script async src='{api_url}/ct.js' data-site='{SITE_KEY}' {attributes}></script>"
        f"</head><body>{body}</body></html>"
    )


async def ready(page: Page) -> Any:
    """What `callRouter.ready` gives: the number shown, or None."""
    await page.wait_for_function("window.callRouter")
    return await page.evaluate("callRouter.ready")


async def until(condition: Callable[[], object], seconds: float = 5) -> None:
    """Wait until `condition` holds; fail when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
