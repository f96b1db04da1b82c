"""Pages that change under the snippet: later content, SPA navigation, bfcache, prerender, consent."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext

from tests.browser.conftest import OpenPage, ready, until
from tests.browser.servers import Company, FakeApi, Reply, number

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = "8 (495) 135-00-00"
NEW_PHONE = "8 (495) 765-43-21"
PAGE = f"<p><a class='phone' href='tel:84951350000'>{PHONE}</a></p><main></main>"

LATER = {
    "blocks": "main.innerHTML = '<div><p>8 (495) 135-00-00</p></div>'",
    "text": "main.append('8 (495) 135-00-00')",
    "changed text": "main.append('soon'); main.firstChild.data = '8 (495) 135-00-00'",
    "a span in a line": "main.innerHTML = 'Call '; add('span', '8 (495) 135-00-00')",
    "a number in pieces": "main.append('8 (495) '); add('b', '135-00-00')",
    "a block inside a link": "main.innerHTML = '<a><div>8 (495) 135-00-00</div></a>'",
    "moved from elsewhere": """const div = document.createElement('div');
        div.innerHTML = '<i>8 (495) 135-00-00</i>'; main.append(div)""",
}


@pytest.mark.parametrize("script", [pytest.param(s, id=name) for name, s in LATER.items()])
async def test_content_added_later_shows_the_number_before_it_is_painted(
    open_page: OpenPage, script: str
) -> None:
    """A single-page site draws when it likes; what it draws is right in the very next frame."""
    page = await open_page(PAGE)
    await ready(page)
    seen = await page.evaluate(
        f"""() => {{
          const main = document.querySelector('main');
          const add = (tag, text) => {{
            const el = document.createElement(tag); el.textContent = text; main.append(el); }};
          {script};
          return new Promise((done) => requestAnimationFrame(() => done(main.textContent)));
        }}"""
    )

    assert NEW_PHONE in seen
    assert PHONE not in seen


async def test_links_changed_later_are_changed_back(open_page: OpenPage) -> None:
    """A framework that renders the link again writes the company's number into it."""
    page = await open_page(PAGE)
    await ready(page)
    await page.evaluate("document.querySelector('a').href = 'tel:+7-495-135-00-00'")

    assert await page.get_attribute("a", "href") == "tel:+7-495-765-43-21"


async def test_content_in_an_editor_added_later_stays_the_visitors(open_page: OpenPage) -> None:
    """What somebody types is not the page's text."""
    page = await open_page(PAGE + "<div id='editor' contenteditable></div>")
    await ready(page)
    await page.click("#editor")
    await page.keyboard.type("my number is 8 (495) 135-00-00")

    assert await page.inner_text("#editor") == "my number is 8 (495) 135-00-00"


async def test_own_edits_do_not_loop_and_a_rival_script_cannot_hang_the_page(
    open_page: OpenPage,
) -> None:
    """A script that puts the old number back at once would play ping-pong for ever."""
    page = await open_page(PAGE)
    await ready(page)
    await page.evaluate(
        f"""() => {{
          const text = document.querySelector('.phone').firstChild;
          window.restored = 0;
          new MutationObserver(() => {{
            if (text.data !== '{PHONE}') {{ restored++; text.data = '{PHONE}'; }}
          }}).observe(text, {{ characterData: true }});
          text.data = '{PHONE}';
        }}"""
    )
    await page.wait_for_timeout(100)

    assert 0 < await page.evaluate("restored") <= 100


async def test_many_changes_are_handled_in_one_batch(open_page: OpenPage) -> None:
    """Each place is edited once, however many records lead to it."""
    page = await open_page(PAGE)
    await ready(page)
    edits = await page.evaluate(
        f"""async () => {{
          const before = recorded.edits.length, main = document.querySelector('main');
          for (let i = 0; i < 200; i++) {{
            const p = document.createElement('p');
            main.append(p); p.append('Call '); p.append('{PHONE}'); p.append(' or ' + i);
          }}
          await new Promise(requestAnimationFrame);
          return [recorded.edits.length - before, main.textContent.split('{NEW_PHONE}').length - 1];
        }}"""
    )

    assert edits == [200, 200]


async def test_spa_navigation_with_a_new_campaign_is_a_new_visit(
    company: Company, open_page: OpenPage, api: FakeApi
) -> None:
    """Other navigation is not, nor is the campaign's parameters being stripped or repeated."""
    page = await open_page(PAGE, query="?utm_source=google&utm_campaign=spring")
    await ready(page)
    await page.evaluate("history.replaceState({}, '', '/?utm_source=google&utm_campaign=spring#a')")
    await page.evaluate("history.replaceState({}, '', '/')")
    await page.evaluate("history.pushState({}, '', '/prices?page=2')")
    api.number = number("+74951112233")
    await page.evaluate("history.pushState({}, '', '/sale?utm_source=mail&utm_campaign=autumn')")
    await page.wait_for_function("callRouter.number.e164 === '+74951112233'")

    first, second = api.requests("visits")
    assert first["url"].endswith("/?utm_source=google&utm_campaign=spring")
    assert second["url"] == f"{company.url}/sale?utm_source=mail&utm_campaign=autumn"
    assert second["referrer"] == f"{company.url}/prices?page=2"
    assert await page.inner_text(".phone") == "8 (495) 111-22-33"


async def test_going_back_to_another_campaign_is_a_new_visit(
    open_page: OpenPage, api: FakeApi
) -> None:
    """The browser's own buttons navigate a single-page site too."""
    page = await open_page(PAGE, query="?utm_campaign=spring")
    await ready(page)
    await page.evaluate("history.pushState({}, '', '/?utm_campaign=autumn')")
    await until(lambda: len(api.requests("visits")) == 2)
    await page.evaluate("history.back()")
    await until(lambda: len(api.requests("visits")) == 3)

    assert api.requests("visits")[2]["url"].endswith("utm_campaign=spring")


async def test_a_page_out_of_the_back_forward_cache_resumes(
    open_page: OpenPage, company: Company, api: FakeApi
) -> None:
    """It was closed for the server; one heartbeat at once makes it active again."""
    page = await open_page(PAGE, path="/one")
    await ready(page)
    await page.evaluate("addEventListener('pageshow', e => { window.persisted = e.persisted })")
    company.pages["/two"] = "<p>Nothing here</p>"
    await page.evaluate("location.href = '/two'")
    await page.wait_for_url("**/two")
    await until(lambda: api.requests("leaves"))
    await page.evaluate("history.back()")
    await until(lambda: api.requests("heartbeats"))
    await page.wait_for_timeout(200)

    assert await page.evaluate("window.persisted") is True
    assert [leave["kind"] for leave in api.requests("leaves")] == ["close"]
    assert len(api.requests("heartbeats")) == 1
    assert len(api.requests("visits")) == 1


async def test_a_prerendered_page_takes_no_number_until_it_is_looked_at(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Browsers prepare pages that are never opened; each would hold a number for nothing."""
    await context.add_init_script(
        "Object.defineProperty(document, 'prerendering', { configurable: true, value: true })"
    )
    page = await open_page(PAGE)
    await page.wait_for_timeout(200)
    assert api.seen == []
    await page.evaluate("document.dispatchEvent(new Event('prerenderingchange'))")

    assert (await ready(page))["e164"] == api.number["e164"]


async def test_nothing_happens_before_consent_where_it_is_awaited(
    open_page: OpenPage, api: FakeApi
) -> None:
    """No request, no storage, no change; then everything at once."""
    page = await open_page(PAGE, attributes="data-consent='wait'")
    await page.wait_for_timeout(200)
    assert api.seen == []
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert await page.inner_text(".phone") == PHONE
    await page.evaluate("callRouter.consent()")
    await ready(page)
    await page.evaluate("callRouter.consent()")

    assert await page.inner_text(".phone") == NEW_PHONE
    assert len(api.requests("visits")) == 1


async def test_a_hidden_page_that_failed_to_load_its_number_asks_again_from_the_cache(
    open_page: OpenPage, company: Company, api: FakeApi
) -> None:
    """Back to a page that never had an answer: it is asked for now."""
    api.on_visit = lambda _: Reply(status=500)
    page = await open_page(PAGE, path="/one")
    await ready(page)
    company.pages["/two"] = "<p>Nothing here</p>"
    await page.evaluate("location.href = '/two'")
    await page.wait_for_url("**/two")
    api.on_visit = lambda _: api.visit_answer()
    await page.evaluate("history.back()")
    await page.wait_for_function("window.callRouter && callRouter.number")

    assert await page.inner_text(".phone") == NEW_PHONE
