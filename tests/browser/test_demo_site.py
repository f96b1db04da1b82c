"""The demo company's site: what `make run` shows first, under its strict content policy."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext

from router.firstrun.demo_site_server import DEFAULT_NUMBER, DemoSite, number_forms, render
from tests.browser.conftest import ready
from tests.browser.servers import SITE_KEY, FakeApi

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = ["/", "/contacts.html"]
EVERYTHING = """() => document.body.innerText + [...document.links].map(a => a.href).join(' ')"""


@pytest.fixture
def site(api: FakeApi) -> Iterator[DemoSite]:
    """The demo site on a free port, with the fake API as its router."""
    with DemoSite(0, SITE_KEY, api.url, DEFAULT_NUMBER) as running:
        yield running


@pytest.mark.parametrize("path", PAGES)
async def test_every_writing_of_the_number_changes_without_flicker(
    context: BrowserContext, site: DemoSite, api: FakeApi, path: str
) -> None:
    """Arriving from an advertisement: one change, nothing moves, nothing is left behind."""
    said: list[str] = []
    asked: set[str] = set()
    page = await context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    api.on_visit = lambda _: api.visit_answer(wait=0.2)
    await page.goto(f"{site.url}{path}?utm_source=google&utm_medium=cpc&gclid=1")
    await ready(page)
    await page.wait_for_timeout(200)
    content = "".join(filter(str.isdigit, await page.evaluate(EVERYTHING)))
    recorded = await page.evaluate("recorded")

    assert content.count(DEFAULT_NUMBER[2:]) == 0
    assert content.count("4957654321") >= 5
    assert len(recorded["texts"]) == 2
    assert recorded["shifts"] == 0
    assert recorded["hidden"] == 0
    assert said == []
    assert asked == {urlsplit(site.url).netloc, urlsplit(api.url).netloc}


async def test_the_demo_shows_what_the_public_interface_gives(
    context: BrowserContext, site: DemoSite
) -> None:
    """Its own script listens to the event, as a customer's would."""
    page = await context.new_page()
    await page.goto(site.url)
    await ready(page)

    assert "(+74957654321)" in await page.inner_text("#demo-number")


async def test_the_page_without_the_snippet_shows_the_number_in_many_forms(
    context: BrowserContext,
) -> None:
    """With the router away the site stands as the company wrote it."""
    page = await context.new_page()
    with DemoSite(0, SITE_KEY, "http://127.0.0.1:9", DEFAULT_NUMBER) as site:
        await page.goto(site.url)
        content = await page.evaluate(EVERYTHING)

    for form in ("8 (495) 135-00-00", "+7 495 135-00-00", "8-495-135-00-00", "tel:84951350000"):
        assert form in content


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/index.html?utm_source=x", 200),
        ("/style.css", 200),
        ("/nothing.html", 404),
        ("/../demo_site_server.py", 404),
        ("/%2e%2e/demo_site_server.py", 404),
        ("//etc/passwd", 404),
        ("/demo_site_server.py", 404),
    ],
)
async def test_only_its_own_files_are_served(site: DemoSite, path: str, status: int) -> None:
    """No path leads out of the five files."""
    address = urlsplit(site.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert answer.status == status


async def test_values_are_escaped_in_the_templates() -> None:
    """A site key is somebody's input; an unknown placeholder is a fault of ours."""
    assert render("<p id='{{KEY}}'>", {"KEY": "'><b>"}) == "<p id='&#x27;&gt;&lt;b&gt;'>"
    with pytest.raises(KeyError):
        render("{{NOBODY}}", {})


async def test_forms_of_a_number_abroad() -> None:
    """The number may be of any country, with or without an area code in brackets."""
    forms = number_forms("+442079460000")

    assert forms["NUMBER_NATIONAL"] == "020 7946 0000"
    assert forms["NUMBER_DASHES"] == "020-7946-0000"
    assert (forms["NUMBER_AREA"], forms["NUMBER_LOCAL"]) == ("", "020 7946 0000")
