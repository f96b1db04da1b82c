"""The live page in a real browser: calls appear, change and are explained; nothing visitors wrote runs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.browser import chromium
from tests.web.conftest import Web
from tests.web.seed import a_call, a_session, seconds

XSS = "\"'><img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
RINGING = {
    "state": "ringing", "outcome": None, "answered_at": None, "ended_at": None, "ring_ms": None,
    "talk_ms": None, "hung_up_by": None, "hangup_cause": None,
}  # fmt: skip


@pytest.fixture
async def page(web: Web) -> AsyncIterator[Page]:
    """A browser that is signed in and shows the live page; it must not complain about anything."""
    found = chromium.find(Path(__file__).parents[2], os.environ)
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.binary,
            env={**os.environ, **found.environment},
            args=list(chromium.ARGUMENTS),
        )
        opened = await browser.new_page(locale="en-GB", timezone_id="Europe/Moscow")
        opened.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.set_default_timeout(8000)
        code = await web.parts.access.create_code(now=web.clock.now)
        await opened.goto(f"{web.staff_url}/sign-in?code={code}")
        await expect(opened.locator("#line")).to_have_text("Live")
        yield opened
        await browser.close()
    assert complaints == []


async def organisation(web: Web) -> int:
    identity: int = await web.database._pool.fetchval("SELECT id FROM organisation")
    return identity


async def test_a_call_is_seen_from_its_first_ring_to_its_end(web: Web, page: Page) -> None:
    """Without anybody touching the page; then it is opened by the keyboard alone."""
    now = web.clock.now
    await expect(page.locator("#empty")).to_contain_text("No calls yet")
    session = await a_session(web.database, now - seconds(95), tapped_at=now - seconds(9))
    ref = await a_call(web.database, now, attribution={"session_id": session}, **RINGING)
    change = {"organisation_id": await organisation(web)}
    web.parts.live.publish(ref, change)
    row = page.locator(".row")
    await expect(row).to_have_attribute("data-state", "ringing")
    await expect(row).to_contain_text("+7 916 123-45-67")
    await expect(row).to_contain_text("97 % · almost certain this visit")
    await expect(row).to_contain_text("/boilers")
    await expect(page.locator("#going")).to_have_text("1 ringing")
    await expect(row.locator(".time")).to_have_text("12:00")

    await web.database._pool.execute(
        "UPDATE call SET state = 'ended', outcome = 'answered', answered_at = $1, ended_at = $2,"
        " talk_ms = 75000, hung_up_by = 'caller'",
        now + seconds(6),
        now + seconds(81),
    )
    web.parts.live.publish(ref, change)
    await expect(row).to_have_attribute("data-state", "ended")
    await expect(row).to_contain_text("1 min 15 s")

    await row.focus()
    await page.keyboard.press("Enter")
    call = page.locator("#call")
    await expect(call).to_contain_text("Almost certain (97 %): this very visit called.")
    await expect(call).to_contain_text("9 s before the call")
    await expect(call).to_contain_text("https://shop.example/boilers?utm_source=google")
    await page.keyboard.press("Escape")
    await expect(call).to_be_hidden()
    await expect(row).to_be_focused()


async def test_what_visitors_wrote_stays_text(web: Web, page: Page) -> None:
    """In the list and in the explanation: no script runs, no address leads to one."""
    now = web.clock.now
    session = await a_session(
        web.database,
        now - seconds(95),
        landing_url=f"javascript:document.title='run'//{XSS}",
        referrer=f"data:text/html,{XSS}",
        term=XSS,
        click_ids={XSS: XSS},
    )
    ref = await a_call(
        web.database,
        now,
        caller=XSS[:30],
        trunk="carrier-1",
        attribution={
            "session_id": session,
            "source": XSS,
            "campaign": XSS,
            "evidence": [{"words": XSS, "figures": {}}],
            "runners_up": [{"p": 0.1, "source": XSS, "medium": "", "campaign": XSS}],
        },
    )
    web.parts.live.publish(ref, {"organisation_id": await organisation(web)})
    await page.locator(".row").click()
    await expect(page.locator("#call")).to_contain_text(XSS)

    assert await page.title() == "Calls · call-router"
    assert await page.locator("#call img, #call script, .row img, .row script").count() == 0
    assert await page.locator("#call a").count() == 0


async def test_a_recording_plays(web: Web, page: Page, recordings_root: Path) -> None:
    """The player gets what it asks for with the browser's own session."""
    (recordings_root / "one.raw").write_bytes(bytes(8000 * 4 * 2))
    ref = await a_call(
        web.database, web.clock.now, recording="one.raw", recording_bytes=8000 * 4 * 2
    )
    web.parts.live.publish(ref, {"organisation_id": await organisation(web)})
    await page.locator(".row").click()
    audio = page.locator("audio")
    length = await audio.evaluate(
        "el => new Promise((tell) => { el.onloadedmetadata = () => tell(el.duration); el.load(); el.preload = 'auto'; })"
    )

    assert length == pytest.approx(2.0, abs=0.05)


async def test_a_lost_line_is_said_and_comes_back(web: Web, page: Page) -> None:
    """And what happened meanwhile is there afterwards."""
    web.parts.live.close()
    await a_call(web.database, web.clock.now, caller="")
    await expect(page.locator("#line")).to_have_attribute("data-state", "lost")
    await expect(page.locator("#line")).to_have_text("Live", timeout=10000)
    await expect(page.locator(".row")).to_contain_text("Hidden number")
