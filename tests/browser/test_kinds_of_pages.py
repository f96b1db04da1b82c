"""Pages of every make: shadow trees, templates, frameworks that keep their nodes, pinned snippets."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page

from router.web.snippet_file import current, fixed_line
from tests.browser.conftest import OpenPage, ready, until
from tests.browser.servers import SITE_KEY, Company, FakeApi, Reply

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN, NEW = "8 (495) 135-00-00", "8 (495) 765-43-21"
NEXT_FRAME = "new Promise(requestAnimationFrame)"

# <phone-box mode="open"> shows the number in a shadow tree, and another <inner-box> in that
COMPONENTS = f"""<script>
  window.make = (name, mode, html) => customElements.define(name, class extends HTMLElement {{
    constructor() {{ super(); this.root = this.attachShadow({{ mode }}); this.root.innerHTML = html; }}
  }});
  make('inner-box', 'open', '<i>{OWN}</i>');
  make('phone-box', 'open', '<p>{OWN} <a href="tel:84951350000">Call</a></p><inner-box></inner-box>');
</script>"""
SHADOW_TEXT = """() => { const box = document.querySelector('phone-box');
  return [box.root.querySelector('p').textContent, box.root.querySelector('a').getAttribute('href'),
          box.root.querySelector('inner-box').root.textContent]; }"""


async def shadow_text(page: Page) -> object:
    return await page.evaluate(SHADOW_TEXT)


async def test_numbers_in_shadow_trees_are_replaced(open_page: OpenPage) -> None:
    """Open ones, also within others, whether they were there before the number or come later."""
    page = await open_page(COMPONENTS + "<phone-box></phone-box><p class='phone'></p>")
    await ready(page)
    expected = [f"{NEW} Call", "tel:84957654321", NEW]
    assert await shadow_text(page) == expected
    await page.evaluate(
        """document.querySelector('phone-box').remove();
           document.body.append(document.createElement('phone-box'))"""
    )
    await page.evaluate(NEXT_FRAME)

    assert await shadow_text(page) == expected


async def test_what_changes_within_a_shadow_tree_is_followed(open_page: OpenPage) -> None:
    """Text straight under the root, text of an element, and a link."""
    page = await open_page(COMPONENTS + "<phone-box></phone-box>")
    await ready(page)
    found = await page.evaluate(
        f"""async () => {{
          const {{ root }} = document.querySelector('phone-box');
          root.append('{OWN}');
          root.querySelector('p').firstChild.data = 'Now {OWN}';
          root.querySelector('a').href = 'tel:+74951350000';
          await {NEXT_FRAME};
          return [root.lastChild.data, root.querySelector('p').firstChild.data,
                  root.querySelector('a').getAttribute('href')];
        }}"""
    )

    assert found == [NEW, f"Now {NEW}", "tel:+74957654321"]


async def test_a_closed_tree_that_is_made_later_is_followed_too(open_page: OpenPage) -> None:
    """Of one made before the number there is no way in: it keeps the page's own."""
    early = (
        "<script>make('early-box', 'closed', '8 (495) 135-00-00')</script><early-box></early-box>"
    )
    page = await open_page(COMPONENTS + early)
    await ready(page)
    found = await page.evaluate(
        f"""async () => {{
          const early = document.querySelector('early-box').root;
          make('late-box', 'closed', '<b>{OWN}</b>');
          const late = document.body.appendChild(document.createElement('late-box')).root;
          await {NEXT_FRAME};
          return [early.textContent, late.textContent];
        }}"""
    )

    assert found == [OWN, NEW]


async def test_a_shadow_tree_in_a_marked_place_is_left_alone(open_page: OpenPage) -> None:
    """`data-ct-ignore` is for all that is below it, whatever it is made of."""
    page = await open_page(COMPONENTS + "<div data-ct-ignore><phone-box></phone-box></div>")
    await ready(page)
    await page.evaluate("document.querySelector('phone-box').root.append('8 (495) 135-00-00')")
    await page.evaluate(NEXT_FRAME)

    assert await shadow_text(page) == [f"{OWN} Call", "tel:84951350000", OWN]


async def test_a_tap_in_a_shadow_tree_is_told(open_page: OpenPage, api: FakeApi) -> None:
    """The click seems to come from the host."""
    page = await open_page(COMPONENTS + "<phone-box></phone-box>")
    await ready(page)
    await page.evaluate("document.addEventListener('click', (event) => event.preventDefault())")
    await page.click("phone-box a")
    await until(lambda: api.requests("taps"))

    assert api.requests("taps")[0]["number"] == api.number["e164"]


TEMPLATES = """<p class="phone">###phone###</p><p>###phone-international###</p><p>###phone-e164###</p>
<p>###phone-dashes###</p><p>###phone-dots###</p><p><a href="tel:###phone###">Call ###phone###!</a></p>
<p>####phone##</p>"""
TEXTS = "[...document.querySelectorAll('p')].map(p => p.textContent)"


async def test_templates_are_filled_in_the_form_they_ask_for(open_page: OpenPage) -> None:
    """For pages that name no number of their own; also in content that comes later."""
    page = await open_page(TEMPLATES + "<main></main>")
    await ready(page)
    await page.evaluate("document.querySelector('main').innerHTML = '<b>Call ###phone###</b>'")

    assert await page.evaluate(TEXTS) == [
        NEW,
        "+7 495 765-43-21",
        "+74957654321",
        "8-495-765-43-21",
        "8.495.765.43.21",
        f"Call {NEW}!",
        "####phone##",
    ]
    assert await page.get_attribute("a", "href") == "tel:+74957654321"
    assert await page.inner_text("main") == f"Call {NEW}"


async def test_a_filled_template_follows_the_number(open_page: OpenPage, api: FakeApi) -> None:
    """It is text like any other from then on."""
    page = await open_page(TEMPLATES)
    await ready(page)
    api.number = {**api.number, "e164": "+74957654399"}
    await page.evaluate("callRouter.refresh()")

    assert (await page.evaluate(TEXTS))[2] == "+74957654399"


async def test_templates_fall_back_to_the_number_of_the_script_tag(
    open_page: OpenPage, api: FakeApi
) -> None:
    """Nobody may read ### where a telephone number should be."""
    api.on_visit = lambda _: Reply(status=503, body="{}")
    page = await open_page(TEMPLATES, attributes=f"data-number='{OWN}'")

    assert await ready(page) is None
    assert (await page.evaluate(TEXTS))[:3] == [OWN, OWN, OWN]


async def test_content_of_template_elements_is_replaced_where_it_is_used(
    open_page: OpenPage,
) -> None:
    """The template itself stays as it was written; its copies are the page's."""
    page = await open_page(f"<template><b>{OWN}</b></template><main></main>")
    await ready(page)
    found = await page.evaluate(
        f"""async () => {{
          const template = document.querySelector('template'), main = document.querySelector('main');
          main.append(template.content.cloneNode(true));
          await {NEXT_FRAME};
          return [template.innerHTML, main.innerHTML];
        }}"""
    )

    assert found == [f"<b>{OWN}</b>", f"<b>{NEW}</b>"]


# As React does it: a tree of nodes is kept, text is written by nodeValue, children are taken out by the
# reference that was kept, and a node that is not where it was left is an error.
FRAMEWORK = """<main></main><script>
  const kept = {}, main = document.querySelector('main');
  window.render = (state) => {
    if (!kept.list) {
      kept.list = main.appendChild(document.createElement('ul'));
      kept.items = new Map();
    }
    for (const [key, item] of kept.items) if (!(key in state)) {
      kept.list.removeChild(item.li); kept.items.delete(key);
    }
    for (const key in state) {
      let item = kept.items.get(key);
      if (!item) {
        item = { li: document.createElement('li'), a: document.createElement('a') };
        item.text = item.a.appendChild(document.createTextNode(''));
        item.tail = document.createTextNode(' ');
        item.li.append(item.a, item.tail);
        kept.list.insertBefore(item.li, kept.list.firstChild);
        kept.items.set(key, item);
      }
      if (item.shown !== state[key]) {
        item.shown = state[key]; item.text.nodeValue = state[key];
        item.a.setAttribute('href', 'tel:' + state[key].replace(/\\D/g, ''));
      }
    }
    for (const { li, a, text, tail } of kept.items.values())
      if (text.parentNode !== a || a.parentNode !== li || tail.parentNode !== li) throw Error('moved');
  };
  window.unmount = () => { main.removeChild(kept.list); kept.list = null; };
</script>"""


async def test_a_framework_finds_its_nodes_as_it_left_them(
    context: BrowserContext, open_page: OpenPage
) -> None:
    """Only values of text nodes change: rendering again, removing and unmounting never fail."""
    problems: list[str] = []
    page = await context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    await open_page(FRAMEWORK, page=page)
    await page.evaluate(f"render({{ head: '{OWN}', foot: 'Call {OWN}' }})")
    await ready(page)
    shown = await page.evaluate(
        f"""async () => {{
          const seen = [];
          for (const state of [{{ head: '{OWN}', foot: 'Call {OWN}' }}, {{ head: 'soon' }},
                               {{ head: '{OWN}', more: '+7 495 135-00-00' }}, {{ more: '{OWN}' }}]) {{
            render(state);
            await {NEXT_FRAME};
            seen.push([...document.querySelectorAll('li')].map((li) => li.textContent.trim()));
          }}
          unmount();
          render({{ again: '{OWN}' }});
          await {NEXT_FRAME};
          return [...seen, [document.querySelector('a').getAttribute('href')]];
        }}"""
    )

    assert shown == [
        [f"Call {NEW}", NEW],
        ["soon"],
        ["+7 495 765-43-21", NEW],
        [NEW],
        ["tel:84957654321"],
    ]
    assert problems == []


async def test_a_page_that_names_the_versions_integrity_gets_it(
    context: BrowserContext, company: Company, api: FakeApi
) -> None:
    """The browser checks the hash; the API is found from the version's address."""
    line = fixed_line(api.url, SITE_KEY)
    assert f'src="{api.url}{current().path}"' in line
    company.pages["/"] = f"<!doctype html><head>{line}</head><p>{OWN}</p>"
    company.pages["/forged"] = company.pages["/"].replace("sha384-", "sha384-AAAA")
    page = await context.new_page()
    await page.goto(company.url)
    await ready(page)
    assert await page.inner_text("p") == NEW
    await page.goto(company.url + "/forged")

    assert await page.evaluate("window.callRouter") is None
    assert await page.inner_text("p") == OWN
