"""What the visitor's eye and machine notice: one change of text, no shift, little work."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from router.web.snippet_file import current
from tests.browser.conftest import OpenPage, document, ready
from tests.browser.servers import Company, FakeApi

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = """
<header>Call <a class="phone" href="tel:84951350000">8 (495) 135-00-00</a></header>
<p>A paragraph, and again <span class="phone">+7 495 135-00-00</span> and some words after it.</p>
"""
OWN_TEXT = "8 (495) 135-00-00 | +7 495 135-00-00"
NEW_TEXT = "8 (495) 765-43-21 | +7 495 765-43-21"
NODES = 1500


async def settled(page: Page) -> None:
    """Everything of the page's start is over, and ten more frames were painted."""
    await ready(page)
    await page.evaluate(
        """new Promise((done) => { let left = 10;
             const step = () => --left ? requestAnimationFrame(step) : done();
             requestAnimationFrame(step); })"""
    )


async def test_the_text_changes_once_and_nothing_moves_or_hides(
    open_page: OpenPage, api: FakeApi
) -> None:
    """Frame by frame: the company's number, then the visit's; both places in the same frame."""
    api.on_visit = lambda _: api.visit_answer(wait=0.3)
    page = await open_page(PAGE)
    await settled(page)

    recorded = await page.evaluate("recorded")

    assert recorded["texts"] == [OWN_TEXT, NEW_TEXT]
    assert len(recorded["edits"]) == 2
    assert recorded["shifts"] == 0
    assert recorded["hidden"] == 0


async def test_the_second_page_shows_the_number_before_it_is_painted(
    open_page: OpenPage, api: FakeApi
) -> None:
    """The last answer stands in the tab's storage: no frame shows the company's own number."""
    page = await open_page(PAGE)
    await settled(page)
    api.on_visit = lambda _: api.visit_answer(wait=0.8)
    await open_page(PAGE, path="/contacts", page=page)
    await settled(page)

    recorded = await page.evaluate("recorded")

    assert recorded["texts"] == [NEW_TEXT]
    assert recorded["edits"][0]["at"] <= recorded["paint"]
    assert recorded["shifts"] == 0


async def test_a_script_that_comes_before_the_body_shows_the_number_as_it_is_parsed(
    open_page: OpenPage, company: Company, api: FakeApi
) -> None:
    """Without `async` there is no body yet when the last answer is shown."""
    page = await open_page(PAGE)
    await settled(page)
    api.on_visit = lambda _: api.visit_answer(wait=0.8)
    company.pages["/sync"] = document(PAGE, api.url).replace("<script async", "<script")
    await page.goto(company.url + "/sync")
    await settled(page)

    assert await page.evaluate("recorded.texts") == [NEW_TEXT]
    assert await page.evaluate("recorded.shifts") == 0


async def test_an_outdated_number_of_the_last_page_is_not_shown(
    open_page: OpenPage, api: FakeApi
) -> None:
    """After `valid_until` the number may be somebody else's: the server is asked first."""
    api.on_visit = lambda _: api.visit_answer(valid_until="2020-01-01T00:00:00Z")
    page = await open_page(PAGE)
    await settled(page)
    api.on_visit = lambda _: api.visit_answer(wait=0.3)
    await open_page(PAGE, path="/contacts", page=page)
    await settled(page)

    assert await page.evaluate("recorded.texts") == [OWN_TEXT, NEW_TEXT]


async def test_arriving_by_another_campaign_does_not_show_the_last_ones_number(
    open_page: OpenPage, api: FakeApi
) -> None:
    """A new campaign is a new session with, as a rule, another number: one change, not two."""
    page = await open_page(PAGE, query="?utm_source=google&utm_campaign=spring")
    await settled(page)
    # later than the first frame, or nobody sees what the page shows before the answer
    new = {**api.number, "e164": "+74957654399"}
    api.on_visit = lambda _: api.visit_answer(number=new, wait=0.5)
    await page.goto(page.url.replace("spring", "autumn"))
    await settled(page)

    assert (await page.evaluate("recorded.texts"))[0] == OWN_TEXT
    assert len(await page.evaluate("recorded.texts")) == 2


async def test_a_number_that_the_server_keeps_changes_nothing(
    open_page: OpenPage, api: FakeApi
) -> None:
    """Reloading the landing page: shown at once, confirmed by the server, touched no more."""
    page = await open_page(PAGE, query="?utm_source=google")
    await settled(page)
    await page.reload()
    await settled(page)

    assert await page.evaluate("recorded.texts") == [NEW_TEXT]
    assert len(await page.evaluate("recorded.edits")) == 2
    assert len(api.requests("visits")) == 2


async def test_the_snippet_is_small() -> None:
    """As it is served: 5 KB packed."""
    packed = len(current().gzipped)

    print(f"\nct.js: {packed} bytes packed")
    assert packed <= 5120


async def test_a_long_page_costs_little_of_the_main_thread(
    browser: Browser, company: Company, api: FakeApi
) -> None:
    """1,500 text nodes, 80 of them with the number; the goal is 10 ms, a busy machine gets 50."""
    paragraph = "<p>Some <b>words</b> of 2026, prices 1,200 and 4 900 roubles <a href='/x'>more</a>"
    phones = "<p>Call <a href='tel:84951350000'>8 (495) 135-00-00</a> now</p>"
    body = (paragraph * 4 + phones) * (NODES // 19 + 1)
    company.pages["/without"] = document(body, company.url)  # no ct.js there
    company.pages["/with"] = document(body, api.url)
    context = await browser.new_context()

    spent = await script_time(context, company.url + "/with")
    bare = await script_time(context, company.url + "/without")
    await context.close()

    print(f"\nmain thread: {1000 * (spent - bare):.1f} ms on {NODES} text nodes")
    assert spent > bare
    assert spent - bare < 0.05


async def script_time(context: BrowserContext, url: str) -> float:
    """Seconds of script a page runs until its number is shown."""
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    # Time of the thread, not of the clock: other work on the machine does not count.
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    await page.goto(url)
    await page.wait_for_timeout(400)
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    nodes = await page.evaluate(
        """() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                   let n = 0; while (walk.nextNode()) n++; return n; }"""
    )
    assert nodes >= NODES
    await page.close()
    return float(next(m["value"] for m in metrics if m["name"] == "ScriptDuration"))
