"""Whatever goes wrong, the page keeps a number that works."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from functools import partial
from uuid import UUID

import pytest
from playwright.async_api import BrowserContext

from tests.browser.conftest import OpenPage, ready, until
from tests.browser.servers import FakeApi, Reply, number

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = "<p><a class='phone' href='tel:84951350000'>8 (495) 135-00-00</a></p>"
OWN_HTML = '<a class="phone" href="tel:84951350000">8 (495) 135-00-00</a>'
NEW_HTML = '<a class="phone" href="tel:84957654321">8 (495) 765-43-21</a>'

ANSWERS = {
    "unknown site": Reply(status=404, body='{"error": "unknown_site", "message": "no"}'),
    "wrong origin": Reply(status=403, body='{"error": "origin_refused", "message": "no"}'),
    "too many": Reply(status=429, body='{"error": "too_many", "message": "later"}'),
    "broken router": Reply(status=500, body="Internal Server Error", kind="text/plain"),
    "not JSON": Reply(body="<h1>Hello</h1>", kind="text/html"),
    "empty": Reply(body=""),
    "half": Reply(body='{"session": "3f0c8a52", "number": {"e164"'),
    "null": Reply(body="null"),
    "a list": Reply(body="[]"),
    "no number": Reply(body='{"session": "3f0c8a52", "replace": ["+74951350000"]}'),
}


async def outcomes(
    open_page: OpenPage, api: FakeApi, replies: Mapping[str, Reply]
) -> dict[str, tuple[object, str]]:
    """For each answer to a new visitor: what `ready` gave and what the page then showed."""
    found: dict[str, tuple[object, str]] = {}
    page = await open_page(PAGE)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    for name, reply in replies.items():
        await ready(page)
        await page.evaluate("localStorage.clear(); sessionStorage.clear()")
        api.on_visit = partial(_always, reply)
        await page.reload()
        found[name] = (await ready(page), await page.inner_html("p"))
    assert len(api.requests("visits")) == 1 + len(replies)
    assert problems == []
    return found


def _always(reply: Reply, _: object) -> Reply:
    return reply


async def test_a_failing_api_leaves_the_companys_number(open_page: OpenPage, api: FakeApi) -> None:
    """No answer that could be used: nothing on the page changes, and `ready` says so."""
    assert await outcomes(open_page, api, ANSWERS) == dict.fromkeys(ANSWERS, (None, OWN_HTML))


async def test_a_refused_connection_leaves_the_companys_number(open_page: OpenPage) -> None:
    """Nobody listens where the API should be."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
        page = await open_page(PAGE, attributes=f"data-api='{nobody}'")

        assert await ready(page) is None
        assert await page.inner_html("p") == OWN_HTML


async def test_a_late_answer_is_for_the_next_page(open_page: OpenPage, api: FakeApi) -> None:
    """After 1.5 s the text stays as it is; the next page shows the number at once."""
    api.on_visit = lambda _: api.visit_answer(wait=1.7)
    page = await open_page(PAGE)

    assert await ready(page) is None
    await page.wait_for_function("callRouter.session")
    await page.wait_for_timeout(100)
    assert await page.inner_html("p") == OWN_HTML
    assert await page.evaluate("callRouter.number") is None

    api.on_visit = lambda _: Reply(status=500)
    await open_page(PAGE, path="/next", page=page)
    assert (await ready(page))["e164"] == api.number["e164"]
    assert await page.inner_html("p") == NEW_HTML


HOSTILE = [
    "<img src=x onerror=document.title=1>",
    "javascript:alert(1)",
    "+7495<b>1</b>",
    "+74957654321\n",
    "+7495765432112345678",
    "74957654321",
    "+0495765432",
    ["+74957654321", "+1"],
    {"toString": "+74957654321"},
]


async def test_a_number_that_is_none_is_never_shown(open_page: OpenPage, api: FakeApi) -> None:
    """Only E.164 is shown: no markup, no script address."""
    answers = {str(e164): api.visit_answer(number={**api.number, "e164": e164}) for e164 in HOSTILE}

    assert await outcomes(open_page, api, answers) == dict.fromkeys(answers, (None, OWN_HTML))


async def test_hostile_display_forms_are_not_used(open_page: OpenPage, api: FakeApi) -> None:
    """A form that is not this number's digits and separators gives way to plain E.164."""
    api.own = ["+4930123456"]
    api.number = number("+74957654321", "<b>8 (495) 765-43-21</b>", "+7 495 111-11-11")
    page = await open_page("<p>030 123456 <a href='tel:030123456'>Call</a></p>")
    await ready(page)

    assert await page.inner_html("p") == '+74957654321 <a href="tel:+74957654321">Call</a>'


async def test_hostile_own_numbers_are_ignored(open_page: OpenPage, api: FakeApi) -> None:
    """Rubbish among the numbers to be replaced neither matches nor stops the others."""
    api.own = [".*", "+", None, 5, "+1", "+74951350000"]  # type: ignore[list-item]
    page = await open_page(PAGE + "<section>.* 5 1</section>")
    await ready(page)

    assert await page.inner_html("p") == NEW_HTML
    assert await page.inner_text("section") == ".* 5 1"


async def test_blocked_storage_is_no_obstacle(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Each page is then a new visitor, and still gets its number."""
    await context.add_init_script(
        """for (const name of ['localStorage', 'sessionStorage'])
             Object.defineProperty(window, name, { get() { throw new Error('blocked'); } });"""
    )
    page = await open_page(PAGE)
    await ready(page)

    await page.reload()
    await ready(page)

    assert await page.inner_html("p") == NEW_HTML
    assert len({str(UUID(visit["visitor"])) for visit in api.requests("visits")}) == 2


async def test_rubbish_in_the_storage_is_ignored(
    context: BrowserContext, open_page: OpenPage, api: FakeApi
) -> None:
    """Another script, or an older version, may have left anything there."""
    key = json.dumps("call-router:demo-site-key")
    await context.add_init_script(
        f"""localStorage.setItem({key}, '{{"visitor": "somebody", "session": 7}}');
            sessionStorage.setItem({key}, '[1, 2]');"""
    )
    page = await open_page(PAGE)
    await ready(page)

    assert await page.inner_html("p") == NEW_HTML
    assert UUID(api.requests("visits")[0]["visitor"])
    assert api.requests("visits")[0]["session"] is None


async def test_the_snippet_twice_on_a_page_works_once(open_page: OpenPage, api: FakeApi) -> None:
    """A tag manager and a template may both bring it."""
    twice = f"<script async src='{api.url}/ct.js' data-site='demo-site-key'></script>"
    page = await open_page(PAGE + twice)
    await ready(page)
    await until(lambda: api.requests("visits"))

    assert await page.inner_html("p") == NEW_HTML
    assert len(api.requests("visits")) == 1
