"""A page with two numbers: each has its own pool, its own session, its own fate."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.conftest import OpenPage, ready, until
from tests.browser.servers import (
    SECOND_SESSION,
    SECOND_SHOWN,
    SECOND_TOKEN,
    SESSION,
    TOKEN,
    Body,
    FakeApi,
    Reply,
    number,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

SALES, SERVICE = "8 (495) 765-43-21", "8 (495) 765-00-11"
PAGE = """<p class="phone" id="sales"><a href="tel:+74951350000">8 (495) 135-00-00</a></p>
<p class="phone" id="service"><a href="tel:84951350011">8 (495) 135-00-11</a></p>
<p id="line">+7 495 135-00-00, service: +7 495 135-00-11</p><main></main>"""


async def opened(
    context: BrowserContext, open_page: OpenPage, api: FakeApi, **other: object
) -> Page:
    """The page with both numbers shown, its clock in the test's hands."""
    api.on_visit = lambda _: api.visit_answer(others=api.others(**other))  # type: ignore[arg-type]
    page = await context.new_page()
    await page.clock.install(time=1_800_000_000)
    await open_page(PAGE, page=page)
    await ready(page)
    await page.clock.pause_at(1_800_000_002)
    return page


def beaten(*others: Body | None) -> Reply:
    """The answer to a heartbeat that keeps the main number."""
    kept = {"number": None, "how": "kept", "valid_until": None}
    return Reply(body=json.dumps({**kept, "others": list(others)}))


async def test_each_number_is_replaced_by_its_own(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """In text, in links, in one line, in content that comes later; in one frame."""
    page = await opened(context, open_page, api)
    await page.evaluate("document.querySelector('main').textContent = '8 495 135 00 11'")

    assert await page.inner_text("#sales") == SALES
    assert await page.inner_text("#service") == SERVICE
    assert await page.inner_text("#line") == "+7 495 765-43-21, service: +7 495 765-00-11"
    assert await page.get_attribute("#service a", "href") == "tel:84957650011"
    assert await page.inner_text("main") == "8 495 765 00 11"
    assert await page.evaluate("callRouter.numbers.map(n => n.e164)") == [
        "+74957654321",
        SECOND_SHOWN,
    ]


async def test_one_heartbeat_and_one_beacon_speak_for_all_numbers(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """What was tapped is told with the session that holds it."""
    api.on_heartbeat = lambda _: beaten({"number": None, "how": "kept", "valid_until": None})
    page = await opened(context, open_page, api)
    await page.clock.run_for(3000)
    await until(lambda: api.requests("heartbeats"))
    await page.evaluate("document.addEventListener('click', event => event.preventDefault())")
    await page.click("#service a")
    await page.click("#sales a")
    await until(lambda: len(api.requests("taps")) == 2)
    await page.goto("about:blank")
    await until(lambda: api.requests("leaves"))

    others = [{"session": SECOND_SESSION, "token": SECOND_TOKEN, "number": SECOND_SHOWN}]
    assert api.requests("heartbeats")[0]["others"] == others
    assert {(tap["session"], tap["token"], tap["number"]) for tap in api.requests("taps")} == {
        (SECOND_SESSION, SECOND_TOKEN, SECOND_SHOWN),
        (SESSION, TOKEN, "+74957654321"),
    }
    assert api.requests("leaves")[0]["others"] == others


async def test_a_heartbeat_changes_one_number_and_leaves_the_other(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """The visitor came back, and the service number was somebody else's by then."""
    page = await opened(context, open_page, api)
    new = {"number": number("+74957650022"), "how": "swapped", "valid_until": None}
    api.on_heartbeat = lambda _: beaten(new)
    await page.clock.run_for(3000)
    await page.wait_for_function("callRouter.numbers[1].e164 === '+74957650022'")

    assert await page.inner_text("#sales") == SALES
    assert await page.inner_text("#service") == "8 (495) 765-00-22"
    assert await page.inner_text("#line") == "+7 495 765-43-21, service: +7 495 765-00-22"


async def test_a_number_whose_session_is_unknown_is_asked_for_again(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Once: a router that goes on answering so is not asked for ever."""
    api.on_heartbeat = lambda _: beaten(None)
    page = await opened(context, open_page, api)
    await page.clock.run_for(3000)
    await until(lambda: len(api.requests("visits")) == 2)
    await page.wait_for_function("callRouter.session")
    await page.clock.run_for(3000)
    await until(lambda: len(api.requests("heartbeats")) == 2)
    await page.wait_for_function("callRouter.session === null")
    await page.clock.run_for(120_000)

    assert len(api.requests("visits")) == 2
    assert len(api.requests("heartbeats")) == 2


async def test_the_next_page_shows_both_before_the_router_answers(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Out of the tab's storage."""
    page = await opened(context, open_page, api)
    api.on_visit = lambda _: Reply(status=503, body="{}")
    await open_page(PAGE, path="/next", page=page)
    await ready(page)

    assert await page.inner_text("#line") == "+7 495 765-43-21, service: +7 495 765-00-11"


async def test_a_number_without_a_free_one_stays_the_pages_own(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """The answer names the page's own as the default: nothing changes, and that is an overflow."""
    await context.add_init_script(
        """window.said = [];
           for (const name of ['swapped', 'overflow', 'failed'])
             document.addEventListener('call-router:' + name, (event) =>
               said.push(name + ' ' + event.detail.e164));"""
    )
    page = await opened(context, open_page, api, e164="+74951350011", how="default")

    assert await page.inner_text("#service") == "8 (495) 135-00-11"
    assert await page.inner_text("#sales") == SALES
    assert await page.evaluate("said") == ["swapped +74957654321", "overflow +74951350011"]


@pytest.mark.parametrize(
    "others", [None, [], [{}], [{"number": {"e164": "x"}, "replace": [SALES]}]]
)
async def test_answers_without_usable_others(
    open_page: OpenPage, api: FakeApi, others: object
) -> None:
    """Of an older router, or of a broken one: the main number is shown all the same."""
    api.on_visit = lambda _: api.visit_answer(others=others)
    page = await open_page(PAGE)
    await ready(page)

    assert await page.inner_text("#sales") == SALES
    assert await page.inner_text("#service") == "8 (495) 135-00-11"
