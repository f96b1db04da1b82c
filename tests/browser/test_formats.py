"""Which writings of the company's number are replaced, and what becomes of their separators."""

from __future__ import annotations

import html

import pytest

from tests.browser.conftest import OpenPage, ready
from tests.browser.servers import FakeApi, number

pytestmark = pytest.mark.asyncio(loop_scope="session")

# +74951350000 is the company's; +74957654321 is shown.
REPLACED = {
    "8 (495) 135-00-00": "8 (495) 765-43-21",
    "8(495)135-00-00": "8(495)765-43-21",
    "+7 495 135-00-00": "+7 495 765-43-21",
    "+7 (495) 135 00 00": "+7 (495) 765 43 21",
    "+7 (495) 1350000": "+7 (495) 7654321",
    "+74951350000": "+74957654321",
    "74951350000": "74957654321",
    "84951350000": "84957654321",
    "4951350000": "4957654321",
    "007 495 135 00 00": "007 495 765 43 21",
    "8-495-135-00-00": "8-495-765-43-21",
    "8.495.135.00.00": "8.495.765.43.21",
    "8/495/1350000": "8/495/7654321",
    "495 135-00-00": "495 765-43-21",
    "(495) 135-00-00": "(495) 765-43-21",
    "8\u00a0(495)\u00a0135-00-00": "8\u00a0(495)\u00a0765-43-21",
    "8\u202f495\u2009135\u201100\u201100": "8\u202f495\u2009765\u201143\u201121",
    "8 (495) 135\u201300\u201300": "8 (495) 765\u201343\u201321",
    "8 (495) 135\u00ad00\u206000": "8 (495) 765\u00ad43\u206021",
    "8 (495) 135 - 00 - 00": "8 (495) 765 - 43 - 21",
    "Call (8 495 135 00 00), please.": "Call (8 495 765 43 21), please.",
    "Тел.:8(495)135-00-00,": "Тел.:8(495)765-43-21,",
    "8 (495) 135-00-00, +7 495 1350000": "8 (495) 765-43-21, +7 495 7654321",
    "8 (495) 135-00-00 8 (495) 222-33-44": "8 (495) 765-43-21 8 (495) 222-33-44",
    "since 2005 8 (495) 135-00-00 24/7": "since 2005 8 (495) 765-43-21 24/7",
    "8 (495) 135-00-00 ext. 12": "8 (495) 765-43-21 ext. 12",
}

UNTOUCHED = [
    "Order 184951350000",
    "Order 849513500001",
    "Order 12-84951350000",
    "Order 4951350000-12",
    "Order 84951350000/01",
    "Order 84951350000.50",
    "Order №84951350000",
    "Order #84951350000",
    "id84951350000",
    "84951350000x",
    "84951350000@example.com",
    "7704951350000",
    "+1 495 135 00 00",
    "+48 495 135 00 00",
    "+4984951350000",
    "1234 4951350000",
    "8 (495) 135-00-01",
    "135-00-00",
]


async def texts(open_page: OpenPage, api: FakeApi, written: list[str]) -> list[str]:
    """What becomes of each text, every one a paragraph of one page."""
    page = await open_page("".join(f"<p>{html.escape(text)}</p>" for text in written))
    assert (await ready(page))["e164"] == api.number["e164"]
    found: list[str] = await page.eval_on_selector_all("p", "all => all.map(p => p.textContent)")
    return found


async def test_every_usual_format_is_replaced_and_keeps_its_separators(
    open_page: OpenPage, api: FakeApi
) -> None:
    """The new digits are poured into the page's own writing."""
    found = await texts(open_page, api, list(REPLACED))

    assert dict(zip(REPLACED, found, strict=True)) == REPLACED


async def test_numbers_inside_longer_ones_are_left_alone(open_page: OpenPage, api: FakeApi) -> None:
    """Orders, accounts and foreign numbers that contain the digits are not the company's number."""
    found = await texts(open_page, api, UNTOUCHED)

    assert found == UNTOUCHED


@pytest.mark.parametrize(
    ("own", "shown", "written"),
    [
        pytest.param(
            "+442079460000",
            number("+442079460123", "020 7946 0123", "+44 20 7946 0123"),
            {
                "020 7946 0000": "020 7946 0123",
                "+44 20 7946 0000": "+44 20 7946 0123",
                "+44 (0)20 7946 0000": "+44 (0)20 7946 0123",
                "(020) 7946-0000": "(020) 7946-0123",
            },
            id="Britain: trunk prefix 0",
        ),
        pytest.param(
            "+12125550100",
            number("+12125550199", "(212) 555-0199", "+1 212-555-0199"),
            {
                "(212) 555-0100": "(212) 555-0199",
                "1-212-555-0100": "1-212-555-0199",
                "+1 212.555.0100": "+1 212.555.0199",
            },
            id="USA: no trunk prefix",
        ),
        pytest.param(
            "+4930123456",
            number("+49301234567", "030 1234567", "+49 30 1234567"),
            {
                "030 / 12 34 56": "030 1234567",
                "+49 (30) 123456": "+49 30 1234567",
                "0049 30 123456": "+49 30 1234567",
            },
            id="another length: the answer's own form",
        ),
        pytest.param(
            "+74812123456",
            number("+74957654321"),
            {
                "8 (4812) 12-34-56": "8 (495) 765-43-21",
                "+7 (4812) 12-34-56": "+7 495 765-43-21",
                "(4812) 12-34-56": "8 (495) 765-43-21",
                "8 4812 12 34 56": "8 4957 65 43 21",
            },
            id="another length of area code in brackets: the answer's own form",
        ),
        pytest.param(
            "+49301234567",
            number("+74957654321"),
            {
                "030 1234567": "+7 495 765-43-21",
                "(030) 1234567": "+7 495 765-43-21",
                "+49 30 1234567": "+7 495 765-43-21",
            },
            id="another country: the international form",
        ),
    ],
)
async def test_numbers_of_other_plans(
    open_page: OpenPage, api: FakeApi, own: str, shown: dict[str, str], written: dict[str, str]
) -> None:
    """Where the digits do not fit the page's writing, the answer's own form stands there."""
    api.own, api.number = [own], shown

    found = await texts(open_page, api, list(written))

    assert dict(zip(written, found, strict=True)) == written


SPLIT = {
    "<b>8 (495)</b> 135-00-00": "<b>8 (495)</b> 765-43-21",
    "+7 <span>495</span> <i>135</i>-<i>00</i>-<i>00</i>": (
        "+7 <span>495</span> <i>765</i>-<i>43</i>-<i>21</i>"
    ),
    "8 (495) <!-- react -->135-<!-- -->00-00": "8 (495) <!-- react -->765-<!-- -->43-21",
    "8495<wbr>1350000": "8495<wbr>7654321",
    "<span>8 495 135 00 00</span><span>8 495 222 33 44</span>": (
        "<span>8 495 765 43 21</span><span>8 495 222 33 44</span>"
    ),
    "<div>8 (495)</div><div>135-00-00</div>": "<div>8 (495)</div><div>135-00-00</div>",
    "8 (495)<br>135-00-00": "8 (495)<br>135-00-00",
    "<b>12</b>4951350000": "<b>12</b>4951350000",
}


async def test_numbers_split_by_inline_markup_are_replaced_across_it(open_page: OpenPage) -> None:
    """The markup stays as it is; blocks and line breaks separate."""
    page = await open_page("".join(f"<section>{markup}</section>" for markup in SPLIT))
    await ready(page)

    found = await page.eval_on_selector_all("section", "all => all.map(s => s.innerHTML)")

    assert dict(zip(SPLIT, found, strict=True)) == SPLIT


async def test_a_split_number_of_another_length_leaves_no_digits_behind(
    open_page: OpenPage, api: FakeApi
) -> None:
    """The answer's form goes to where the number began; the other pieces lose their digits."""
    api.own, api.number = ["+4930123456"], number("+49301234567", "030 1234567", "+49 30 1234567")
    page = await open_page("<p>Call <b>030</b> <i>123456</i> now</p>")
    await ready(page)

    assert await page.inner_html("p") == "Call <b>030 1234567</b><i></i> now"


LINKS = {
    "tel:+74951350000": "tel:+74957654321",
    "tel:84951350000": "tel:84957654321",
    "tel:+7(495)135-00-00": "tel:+7(495)765-43-21",
    "TEL:8-495-135-00-00": "TEL:8-495-765-43-21",
    "tel:+7%20495%20135-00-00": "tel:+7%20495%20765-43-21",
    "tel:+74951350000;ext=12": "tel:+74957654321;ext=12",
    "tel:+74952223344": "tel:+74952223344",
    "tel:%E0%A4%A": "tel:%E0%A4%A",
    "sms:+74951350000": "sms:+74957654321",
    "sms:+74951350000?body=Re%3A%20+74951350000": "sms:+74957654321?body=Re%3A%20+74951350000",
    "SMS:8%20495%201350000?body=a%26b": "SMS:8%20495%207654321?body=a%26b",
    "https://example.com/84951350000": "https://example.com/84951350000",
}


async def test_telephone_links_keep_their_format_and_other_links_their_address(
    open_page: OpenPage,
) -> None:
    """Only `href` of tel: and sms: links is edited, and of a message only whom it goes to."""
    links = "".join(f'<a href="{href}" title="84951350000">Call</a>' for href in LINKS)
    page = await open_page(links)
    await ready(page)

    found = await page.eval_on_selector_all(
        "a", "all => all.map(a => [a.getAttribute('href'), a.title])"
    )

    assert found == [[href, "84951350000"] for href in LINKS.values()]


UNTOUCHABLE = """
<script type="application/ld+json">{"telephone": "8 (495) 135-00-00"}</script>
<style>p::after { content: "8 (495) 135-00-00" }</style>
<noscript>8 (495) 135-00-00</noscript>
<textarea>8 (495) 135-00-00</textarea>
<input value="8 (495) 135-00-00">
<div contenteditable><b>8 (495) 135-00-00</b></div>
<select><option>8 (495) 135-00-00</option></select>
<p data-ct-ignore>8 (495) 135-00-00 <a href="tel:84951350000">Call</a></p>
<img alt="8 (495) 135-00-00" src="data:,">
"""


async def test_the_title_stays_even_when_the_page_changes_it(open_page: OpenPage) -> None:
    """The head is not the page's text."""
    page = await open_page("<p>8 (495) 135-00-00</p>")
    await ready(page)
    await page.evaluate("document.title = 'Call 8 (495) 135-00-00'")

    assert await page.title() == "Call 8 (495) 135-00-00"


async def test_nothing_but_text_and_telephone_links_is_touched(open_page: OpenPage) -> None:
    """Scripts, styles, fields, editors, attributes, the title and marked places stay whole."""
    page = await open_page(f"<main>{UNTOUCHABLE}</main><p id='text'>8 (495) 135-00-00</p>")
    await ready(page)

    inside = await page.inner_html("main")

    assert await page.inner_text("#text") == "8 (495) 765-43-21"
    assert "765" not in inside
    assert inside.count("135-00-00") == UNTOUCHABLE.count("135-00-00")
    assert await page.input_value("input") == "8 (495) 135-00-00"
    assert await page.title() == "8 (495) 135-00-00"
