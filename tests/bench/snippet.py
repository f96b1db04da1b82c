"""The snippet: its size, and what it costs a page of 1,500 nodes in a real Chromium."""

from __future__ import annotations

import os
import statistics

from playwright.async_api import Browser, async_playwright

from router.web.snippet_file import current
from tests.bench import machine
from tests.bench.report import Report, Row, at_most
from tests.browser import chromium
from tests.browser.conftest import RECORDER, document, ready
from tests.browser.servers import Company, FakeApi
from tests.browser.test_stability import NODES, script_time

_PROSE = "<p>Some <b>words</b> of 2026, prices 1,200 and 4 900 roubles <a href='/x'>more</a>"
_PHONE = "<p>Call <a class='phone' href='tel:84951350000'>8 (495) 135-00-00</a> now</p>"
_BODY = (_PROSE * 4 + _PHONE) * (NODES // 19 + 1)


async def measure(report: Report, *, rounds: int) -> None:
    """Needs Chromium; the size does not."""
    packed = len(current().gzipped)
    goal, reached = at_most(packed, 5 * 1024)
    report.add(
        Row(
            subject="snippet, gzip", ours=f"{packed:,} bytes", goal=f"{goal} bytes", reached=reached
        )
    )
    found = chromium.find(machine.ROOT, os.environ)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.binary,
            env={**os.environ, **found.environment},
            args=list(chromium.ARGUMENTS),
        )
        try:
            with Company() as company, FakeApi() as api:
                company.pages["/without"] = document(_BODY, company.url)
                company.pages["/with"] = document(_BODY, api.url)
                await _thread_time(report, browser, company.url, rounds)
                await _shift(report, browser, company.url)
        finally:
            await browser.close()


async def _thread_time(report: Report, browser: Browser, url: str, rounds: int) -> None:
    """A visitor's first page each time: a new context has no cache and no storage."""
    spent: dict[str, list[float]] = {"/with": [], "/without": []}
    for _ in range(rounds):
        for path, times in spent.items():
            context = await browser.new_context()
            times.append(await script_time(context, url + path))
            await context.close()
    bare = statistics.median(spent["/without"]) * 1e3
    ours = statistics.median(spent["/with"]) * 1e3
    goal, reached = at_most(ours - bare, 10)
    report.add(
        Row(
            subject=f"snippet, main thread on {NODES:,} text nodes",
            ours=f"{ours:.1f} ms",
            baseline=f"{bare:.1f} ms without",
            ratio=f"+{ours - bare:.1f} ms",
            goal=f"{goal} ms",
            reached=reached,
        )
    )


async def _shift(report: Report, browser: Browser, url: str) -> None:
    context = await browser.new_context(viewport={"width": 1200, "height": 800})
    await context.add_init_script(RECORDER)
    page = await context.new_page()
    await page.goto(url + "/with")
    await ready(page)
    await page.wait_for_timeout(300)
    recorded = await page.evaluate("recorded")
    await context.close()
    if not recorded["edits"]:
        raise RuntimeError("the snippet changed nothing on the page")
    report.add(
        Row(
            subject="snippet, layout shift",
            ours=f"{recorded['shifts']:g}",
            goal="0",
            reached=recorded["shifts"] == 0,
        )
    )
