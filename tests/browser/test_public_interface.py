"""What other scripts of the page can use, and what a person sees who looks for a fault."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext

from tests.browser.conftest import OpenPage, ready, until
from tests.browser.servers import OWN, SESSION, Company, FakeApi, Reply, number

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = "<p><span class='phone'>8 (495) 135-00-00</span> Order 184951350000</p>"
FORMS = {"national": "8 (495) 765-43-21", "international": "+7 495 765-43-21"}


async def test_the_promise_and_the_properties_give_the_number(open_page: OpenPage) -> None:
    """For forms, chats and analytics: before the first click."""
    page = await open_page(PAGE)

    assert (await ready(page)).items() >= {"e164": "+74957654321", **FORMS}.items()
    assert await page.evaluate("callRouter.number.e164") == "+74957654321"
    assert await page.evaluate("callRouter.session") == SESSION


async def test_the_event_comes_after_the_page_was_changed_and_only_for_changes(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """`call-router:swapped` on the document, with the number as its detail."""
    await context.add_init_script(
        """window.events = [];
           document.addEventListener('call-router:swapped', (event) => events.push(
             [event.detail.e164, document.querySelector('.phone').textContent]));"""
    )
    page = await open_page(PAGE)
    await ready(page)
    await page.evaluate("callRouter.refresh()")
    api.number = number("+74951112233")
    await page.evaluate("callRouter.refresh()")

    assert await page.evaluate("events") == [
        ["+74957654321", "8 (495) 765-43-21"],
        ["+74951112233", "8 (495) 111-22-33"],
    ]


async def test_other_scripts_cannot_change_the_number(open_page: OpenPage) -> None:
    """What they are given is frozen."""
    page = await open_page(PAGE)
    await ready(page)

    assert await page.evaluate("Object.isFrozen(callRouter.number)") is True


@pytest.mark.parametrize(("query", "attributes"), [("?ct_debug=1", ""), ("", "data-debug")])
async def test_debug_mode_says_which_rule_matched_what(
    context: BrowserContext, open_page: OpenPage, query: str, attributes: str
) -> None:
    """For "it does not work on my page": what was found, by which prefix, and what was refused."""
    said: list[str] = []
    page = await context.new_page()
    page.on("console", lambda message: said.append(message.text))
    await open_page(PAGE, query=query, attributes=attributes, page=page)
    await ready(page)
    await until(lambda: len(said) >= 2)

    assert '[call-router] 8 (495) 135-00-00 is +74951350000, prefix "8"' in said
    assert "[call-router] 184951350000 refused: part of something longer" in said


async def test_it_is_silent_otherwise(context: BrowserContext, open_page: OpenPage) -> None:
    """Nothing on the console of somebody else's site."""
    said: list[str] = []
    page = await context.new_page()
    page.on("console", lambda message: said.append(message.text))
    await open_page(PAGE, page=page)
    await ready(page)

    assert said == []


async def test_the_api_may_lie_under_a_path(
    context: BrowserContext, company: Company, api: FakeApi
) -> None:
    """Behind a reverse proxy: the API is where the script came from, folder and all."""
    asked: list[str] = []
    page = await context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    tag = f"<script src='{api.url}/ct.js/../ct.js?v=2' data-site='k'></script>"
    nested = tag.replace("/ct.js/../ct.js", "/ct.js/calls/ct.js")
    company.pages["/"] = f"<!doctype html><body>{nested}</body>"
    await page.goto(company.url)
    await ready(page)

    assert f"{api.url}/ct.js/calls/v1/visits" in asked


async def test_failures_and_overflow_are_told_by_events(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """`failed` with the reason, `overflow` with the default number; neither is a swap."""
    await context.add_init_script(
        """window.said = [];
           for (const name of ['swapped', 'overflow', 'failed'])
             document.addEventListener('call-router:' + name, (event) =>
               said.push([name, event.detail.e164 || event.detail]));"""
    )
    api.on_visit = lambda _: Reply(status=503, body="{}")
    page = await open_page(PAGE)
    await ready(page)
    assert await page.evaluate("said") == [["failed", "503"]]
    api.on_visit = lambda _: api.visit_answer(number=number(OWN), how="default")
    await page.evaluate("callRouter.refresh()")

    assert (await page.evaluate("said"))[1:] == [["overflow", OWN]]
    assert await page.evaluate("callRouter.number.how") == "default"


async def test_debug_mode_asks_the_router_why(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Which rule matched is known there; nobody else is told."""
    why = "maps: source is not 'maps'; ads: source is 'google'"
    api.on_visit = lambda body: api.visit_answer(why=[why] if body.get("debug") else [])
    said: list[str] = []
    page = await context.new_page()
    page.on("console", lambda message: said.append(message.text))
    await open_page(PAGE, query="?ct_debug=1", page=page)
    await ready(page)
    await until(lambda: any(why in line for line in said))
    await open_page(PAGE, path="/quiet", page=page)
    await ready(page)

    assert [body.get("debug") for body in api.requests("visits")] == [True, None]


async def test_another_tabs_new_session_is_taken_over(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Two tabs are one visitor: they speak for one session, and show one number."""
    page = await open_page(PAGE)
    await ready(page)
    newer = "11111111-2222-4333-8444-555555555555"
    api.on_visit = lambda _: api.visit_answer(session=newer)
    other = await open_page(PAGE, path="/other", query="?utm_source=mail")
    await ready(other)
    await page.wait_for_function(f"callRouter.session === '{newer}'")

    assert len(api.requests("visits")) == 2


async def test_a_second_tab_is_the_same_visitor_before_the_router_has_answered(
    open_page: OpenPage, api: FakeApi
) -> None:
    """A new visitor opens several results at once: each tab would get a number of its own."""
    api.on_visit = lambda _: api.visit_answer(wait=0.8)
    first = await open_page(PAGE)
    await until(lambda: api.requests("visits"))
    second = await open_page(PAGE, path="/other")
    await until(lambda: len(api.requests("visits")) == 2)
    await ready(first)
    await ready(second)

    one, other = (visit["visitor"] for visit in api.requests("visits"))
    assert one == other
