"""Consent: granted, denied, unknown; what is stored and sent in each case."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.conftest import OpenPage, ready, until
from tests.browser.servers import SESSION, VISITOR, Company, FakeApi

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = "<p><a class='phone' href='tel:84951350000'>8 (495) 135-00-00</a></p>"
NEW_PHONE = "8 (495) 765-43-21"
STORED = "Object.keys(localStorage).concat(Object.keys(sessionStorage))"
ANALYTICS = {
    "_ga": "GA1.1.1203456789.1730000000",
    "_ga_ABC123DEF": "GS2.1.s1747323152$o1$g0$t1747323152",
    "_ym_uid": "1699999999123456789",
}


async def with_analytics(context: BrowserContext, company: Company) -> None:
    """Cookies that other scripts of the page have set."""
    await context.add_cookies(
        [{"name": name, "value": value, "url": company.url} for name, value in ANALYTICS.items()]
    )


async def clocked(context: BrowserContext, open_page: OpenPage, attributes: str) -> Page:
    page = await context.new_page()
    await page.clock.install(time=1_800_000_000)
    await open_page(PAGE, attributes=attributes, page=page)
    await page.wait_for_function("window.callRouter")
    return page


async def test_with_consent_the_ids_of_analytics_are_sent(
    context: BrowserContext, company: Company, open_page: OpenPage, api: FakeApi
) -> None:
    """Those of the page's own cookies, so that calls can be told to Google and Yandex."""
    await with_analytics(context, company)
    await ready(await open_page(PAGE))

    assert api.requests("visits")[0]["client_ids"] == {
        "ga": "1203456789.1730000000",
        "ga_session": "1747323152",
        "ym": "1699999999123456789",
    }


async def test_denied_means_nothing_stored_and_no_id_sent(
    context: BrowserContext, company: Company, open_page: OpenPage, api: FakeApi
) -> None:
    """The page shows what everybody from there is shown; no heartbeat, no beacon, no storage."""
    await with_analytics(context, company)
    page = await clocked(context, open_page, "data-consent='denied'")
    assert (await ready(page))["e164"] == api.number["e164"]
    await page.clock.run_for(120_000)
    await page.evaluate("document.querySelector('a').onclick = () => false")
    await page.click("a")
    stored = await page.evaluate(STORED)
    await page.goto("about:blank")

    asked = api.requests("visits")[0]
    assert (asked["consent"], asked["visitor"], asked["session"]) == ("denied", None, None)
    assert asked["client_ids"] == {}
    assert stored == []
    assert [seen.path for seen in api.seen] == ["/v1/visits"]


async def test_consent_given_later_makes_it_a_full_visit(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """From the static number to one of the visitor's own, on the page that is open."""
    page = await clocked(context, open_page, "data-consent='denied'")
    await ready(page)
    api.number = {**api.number, "e164": "+74957654399"}
    await page.evaluate("callRouter.consent('granted')")
    await page.wait_for_function("callRouter.session")
    await page.clock.run_for(3000)
    await until(lambda: api.requests("heartbeats"))

    assert [visit["consent"] for visit in api.requests("visits")] == ["denied", "granted"]
    assert await page.evaluate("callRouter.number.e164") == "+74957654399"
    assert VISITOR in await page.evaluate("Object.values(localStorage).join()")


async def test_consent_taken_back_forgets_everything(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """The number is given back, the ids are deleted, the page is like everybody's again."""
    page = await clocked(context, open_page, "")
    await ready(page)
    assert await page.evaluate(STORED) != []
    await page.evaluate("callRouter.consent('denied')")
    await until(lambda: len(api.requests("visits")) == 2)
    await until(lambda: api.requests("leaves"))
    await page.wait_for_function("callRouter.session === null")

    assert [leave["session"] for leave in api.requests("leaves")] == [SESSION]
    assert api.requests("visits")[1]["visitor"] is None
    assert api.requests("visits")[1]["consent"] == "denied"
    assert await page.evaluate(STORED) == []


async def test_an_unknown_answer_waits_or_takes_the_static_number(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """`wait`: nothing at all until `consent` is called; with `denied` it becomes what that is."""
    page = await clocked(context, open_page, "data-consent='wait'")
    await page.clock.run_for(5000)
    assert api.seen == []
    assert await page.evaluate(STORED) == []
    await page.evaluate("callRouter.consent('denied')")
    await ready(page)

    assert await page.inner_text(".phone") == NEW_PHONE
    assert api.requests("visits")[0]["consent"] == "denied"
    assert await page.evaluate(STORED) == []


async def test_saying_the_same_twice_asks_once(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """A consent banner may report on every page, and again when it is closed."""
    page = await clocked(context, open_page, "data-consent='wait'")
    await page.evaluate("callRouter.consent('granted')")
    await page.evaluate("callRouter.consent()")
    await ready(page)
    await page.evaluate("callRouter.consent('granted')")
    await page.clock.run_for(3000)
    await until(lambda: api.requests("heartbeats"))

    assert len(api.requests("visits")) == 1
