"""What the snippet tells the server: visits, heartbeats, leaves, taps and copies."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.conftest import OpenPage, document, ready, until
from tests.browser.servers import (
    SECOND_TOKEN,
    SESSION,
    SITE_KEY,
    TOKEN,
    VISITOR,
    Company,
    FakeApi,
    Reply,
    heartbeat_answer,
    number,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = """<p><a class="phone" href="tel:+7%20495%201350000">8 (495) 135-00-00</a></p>
<p><a id="other" href="tel:+74952223344">8 (495) 222-33-44</a></p>"""
SET_VISIBILITY = """state => {
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
NEW = "+74957654321"


async def clocked(context: BrowserContext, open_page: OpenPage) -> Page:
    """The page shown with its number, its clock in the test's hands and just started."""
    page = await context.new_page()
    await page.clock.install(time=1_800_000_000)
    await open_page(PAGE, page=page)
    await ready(page)
    await page.clock.pause_at(1_800_000_002)
    return page


async def test_a_visit_says_where_the_visitor_is_and_came_from(
    context: BrowserContext, company: Company, api: FakeApi
) -> None:
    """The first visit names a visitor itself; the second page sends back the ids it was given."""
    link = "<a href='/landing?utm_source=google&gclid=x#top'>go</a>"
    company.pages["/from"] = document(link, api.url)
    company.pages["/landing"] = document(PAGE, api.url)
    page = await context.new_page()
    await page.goto(company.url + "/from")
    await ready(page)
    await page.click("a")
    await until(lambda: len(api.requests("visits")) == 2)

    first, second = api.requests("visits")
    assert str(UUID(first["visitor"])) not in ("", VISITOR)
    assert first == {
        "site": SITE_KEY,
        "url": f"{company.url}/from",
        "referrer": "",
        "consent": "granted",
        "client_ids": {},
        "visitor": first["visitor"],
        "session": None,
    }
    assert second == {
        "site": SITE_KEY,
        "url": f"{company.url}/landing?utm_source=google&gclid=x#top",
        "referrer": f"{company.url}/from",
        "consent": "granted",
        "client_ids": {},
        "visitor": VISITOR,
        "session": SESSION,
    }


async def test_no_request_needs_a_preflight_or_carries_cookies(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Plain text with the page's origin: one round trip each."""
    page = await clocked(context, open_page)
    await page.clock.run_for(3000)
    await until(lambda: api.requests("heartbeats"))

    assert {seen.method for seen in api.seen} == {"POST"}
    assert {seen.headers["Content-Type"] for seen in api.seen} == {"text/plain;charset=UTF-8"}
    assert all("Origin" in seen.headers and "Cookie" not in seen.headers for seen in api.seen)


async def test_heartbeats_come_3_seconds_after_the_number_and_then_by_the_period(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Each says how long ago the last input was; opening the page was input."""
    page = await clocked(context, open_page)
    assert api.requests("heartbeats") == []
    await page.clock.run_for(3000)
    await until(lambda: len(api.requests("heartbeats")) == 1)
    await page.clock.run_for(31_000)
    await until(lambda: len(api.requests("heartbeats")) == 2)
    await page.mouse.move(50, 60)
    await page.clock.run_for(30_000)
    await until(lambda: len(api.requests("heartbeats")) == 3)

    beat = {"site": SITE_KEY, "session": SESSION, "token": TOKEN, "visible": True, "number": NEW}
    beats = api.requests("heartbeats")
    seconds = [said.pop("input_seconds") for said in beats]
    assert beats == [beat | {"input": said} for said in (True, False, True)]
    assert [3 <= seconds[0] <= 5, 33 <= seconds[1] <= 36, 27 <= seconds[2] <= 31] == [True] * 3


@pytest.mark.parametrize("deed", ["mouse", "key", "wheel", "touch"])
async def test_every_kind_of_input_counts(
    context: BrowserContext, open_page: OpenPage, api: FakeApi, deed: str
) -> None:
    """Pointer, keys, scrolling and touch: the visitor is there."""
    page = await clocked(context, open_page)
    await page.clock.run_for(32_000)
    await until(lambda: len(api.requests("heartbeats")) == 2)
    if deed == "mouse":
        await page.mouse.move(50, 60)
    elif deed == "key":
        await page.keyboard.press("Shift")
    elif deed == "wheel":
        # a turn of the wheel reaches the page some time after the command for it has returned
        await page.evaluate("addEventListener('wheel', () => { window.turned = true; })")
        await page.mouse.wheel(0, 100)
        async with asyncio.timeout(10):
            while not await page.evaluate("window.turned === true"):
                await asyncio.sleep(0.01)
    else:
        await page.evaluate("document.body.dispatchEvent(new Event('touchstart', {bubbles: true}))")
    await page.clock.run_for(30_000)
    await until(lambda: len(api.requests("heartbeats")) == 3)

    assert [beat["input"] for beat in api.requests("heartbeats")] == [True, False, True]


async def test_a_hidden_page_is_silent_and_resumes_at_once(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Hiding sends one beacon and stops the heartbeats; coming back sends one without delay."""
    page = await clocked(context, open_page)
    await page.evaluate(SET_VISIBILITY, "hidden")
    await until(lambda: api.requests("leaves"))
    await page.clock.run_for(120_000)
    assert api.requests("heartbeats") == []
    await page.evaluate(SET_VISIBILITY, "visible")
    await page.clock.run_for(10)
    await until(lambda: api.requests("heartbeats"))

    assert api.requests("leaves") == [
        {"site": SITE_KEY, "session": SESSION, "token": TOKEN, "kind": "hide"}
    ]
    assert [beat["input"] for beat in api.requests("heartbeats")] == [True]


async def test_leaving_for_another_page_sends_close_and_nothing_else(
    open_page: OpenPage, api: FakeApi
) -> None:
    """The browser hides the page too as it goes; `close` is the last word."""
    page = await open_page(PAGE)
    await ready(page)
    await page.goto("about:blank")
    await until(lambda: api.requests("leaves"))
    await page.wait_for_timeout(150)

    assert api.requests("leaves") == [
        {"site": SITE_KEY, "session": SESSION, "token": TOKEN, "kind": "close"}
    ]


@pytest.mark.parametrize("beacon", ["undefined", "() => false"])
async def test_leaving_is_told_without_send_beacon_as_well(
    context: BrowserContext, open_page: OpenPage, api: FakeApi, beacon: str
) -> None:
    """Where a browser has no sendBeacon, or its queue is full, a request outlives the page."""
    await context.add_init_script(
        f"Object.defineProperty(navigator, 'sendBeacon', {{ value: {beacon} }})"
    )
    page = await open_page(PAGE)
    await ready(page)
    await page.goto("about:blank")
    await until(lambda: api.requests("leaves"))

    assert api.requests("leaves") == [
        {"site": SITE_KEY, "session": SESSION, "token": TOKEN, "kind": "close"}
    ]


async def test_taps_on_our_number_are_told_and_on_others_not(
    open_page: OpenPage, api: FakeApi
) -> None:
    """A tap on a tel: link is the strongest evidence of a call that there is."""
    page = await open_page(PAGE)
    await ready(page)
    # Chromium without a telephone stays busy with a tel: address it went to.
    await page.evaluate("document.addEventListener('click', event => event.preventDefault())")
    await page.click("#other")
    await page.click(".phone")
    await until(lambda: api.requests("taps"))
    await page.wait_for_timeout(100)

    tap = {"site": SITE_KEY, "session": SESSION, "token": TOKEN, "number": NEW, "kind": "tap"}
    assert api.requests("taps") == [tap]


async def test_copying_our_number_is_told(open_page: OpenPage, api: FakeApi) -> None:
    """Copying other text is not."""
    page = await open_page(PAGE + "<p id='words'>Just some words</p>")
    await ready(page)
    for selector in ("#words", "#other", ".phone"):
        await page.evaluate(
            "s => getSelection().selectAllChildren(document.querySelector(s))", selector
        )
        await page.keyboard.press("Control+c")
    await until(lambda: api.requests("taps"))
    await page.wait_for_timeout(100)

    copy = {"site": SITE_KEY, "session": SESSION, "token": TOKEN, "number": NEW, "kind": "copy"}
    assert api.requests("taps") == [copy]


async def test_a_heartbeat_may_bring_another_number(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """The page shows it from then on, in text and links, and later pages too."""
    other = number("+74951112233")
    api.on_heartbeat = lambda _: heartbeat_answer(other)
    page = await clocked(context, open_page)
    await page.clock.run_for(3000)
    await page.wait_for_function("callRouter.number.e164 === '+74951112233'")
    stored = json.loads(await page.evaluate(f"sessionStorage['call-router:{SITE_KEY}']"))

    shown = '<a class="phone" href="tel:+7%20495%201112233">8 (495) 111-22-33</a>'
    assert await page.inner_html("p") == shown
    assert stored["number"] == other


async def test_failing_heartbeats_change_nothing_and_go_on(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """A router that is away for a while finds the page still beating."""
    api.on_heartbeat = lambda _: Reply(status=500)
    page = await clocked(context, open_page)
    await page.clock.run_for(3000)
    await until(lambda: len(api.requests("heartbeats")) == 1)
    api.on_heartbeat = lambda _: Reply(body="[1")
    await page.clock.run_for(30_000)
    await until(lambda: len(api.requests("heartbeats")) == 2)
    await page.clock.run_for(30_000)
    await until(lambda: len(api.requests("heartbeats")) == 3)

    assert await page.inner_text(".phone") == "8 (495) 765-43-21"
    assert len(api.requests("visits")) == 1


async def test_a_session_that_the_server_forgot_begins_anew(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """404 to a heartbeat: one new visit, and if its session is unknown too (the router gives bots
    none), silence."""
    page = await clocked(context, open_page)
    api.on_heartbeat = lambda _: Reply(status=404)
    await page.clock.run_for(3000)
    await until(lambda: len(api.requests("visits")) == 2)
    await page.wait_for_timeout(100)
    await page.clock.run_for(3000)
    await until(lambda: len(api.requests("heartbeats")) == 2)
    await page.wait_for_timeout(100)
    await page.clock.run_for(120_000)

    assert len(api.requests("heartbeats")) == 2
    assert len(api.requests("visits")) == 2
    assert await page.inner_text(".phone") == "8 (495) 765-43-21"


async def test_another_token_is_used_from_then_on(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """By the next heartbeat, and by the next page before the router has answered it."""
    api.on_heartbeat = lambda _: heartbeat_answer(token=SECOND_TOKEN)
    page = await clocked(context, open_page)
    await page.clock.run_for(3000)
    await until(lambda: len(api.requests("heartbeats")) == 1)
    api.on_heartbeat = lambda _: heartbeat_answer()
    await page.clock.run_for(31_000)
    await until(lambda: len(api.requests("heartbeats")) == 2)
    await page.clock.run_for(31_000)
    await until(lambda: len(api.requests("heartbeats")) == 3)
    api.on_visit = lambda _: Reply(status=503, body="{}")
    await page.reload()
    await ready(page)
    await page.clock.run_for(3100)
    await until(lambda: len(api.requests("heartbeats")) == 4)

    said = [beat["token"] for beat in api.requests("heartbeats")]
    assert said == [TOKEN, SECOND_TOKEN, SECOND_TOKEN, SECOND_TOKEN]


async def test_the_session_of_another_tab_comes_with_its_token(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """The other tab began a session by another campaign: this one speaks for it too."""
    page = await clocked(context, open_page)
    session = "5a1d2c3b-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
    api.on_visit = lambda _: api.visit_answer(session=session, token=SECOND_TOKEN)
    await open_page(PAGE, path="/other", page=await context.new_page())
    await page.wait_for_function(f"callRouter.session === '{session}'")
    await page.clock.run_for(3000)
    await until(lambda: session in [beat["session"] for beat in api.requests("heartbeats")])

    spoken = {(beat["session"], beat["token"]) for beat in api.requests("heartbeats")}
    assert spoken <= {(session, SECOND_TOKEN), (SESSION, TOKEN)}
