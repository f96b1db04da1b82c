"""What a visitor writes into a link reaches nobody uncleaned: not Asterisk, SIP, SQL or the log."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest

from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = {
    "newline": "spring\nEXEC System touch /tmp/owned\n",
    "carriage return": "spring\rX-Evil: 1",
    "crlf header": "spring\r\nX-Evil: 1\r\n\r\n",
    "quotes": 'spring"\', ${SHELL(id)} \\" `id` $(id)',
    "sql": "spring'); DROP TABLE call; --",
    "nul": "spring\x00evil",
    "nine kilobytes": "spring" + "x" * 9000,
    "emoji": "весна 🌷 sale",
    "markup": "<script>alert(1)</script>",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_campaign(system: System, name: str) -> None:
    """The call is routed and attributed; its tag is one readable value, and nothing else is new."""
    text = HOSTILE[name]
    landing = f"/?utm_source=google&utm_medium=cpc&utm_campaign={quote(text)}"
    visit = await system.visit(landing)
    caller = system.new_caller()
    rung, _ = await system.talk(visit.number, caller, seconds=0.2)
    record = await system.record(caller)

    campaign = record["attribution"]["campaign"]
    assert record["route_source"] == "router"
    assert record["attribution"]["source"] == "google"
    assert len(campaign) <= 255
    assert campaign.isprintable()
    assert set(rung.tags) == {
        "X-CT-Call", "X-CT-Source", "X-CT-Medium", "X-CT-Campaign", "X-CT-Method",
        "X-CT-Confidence",
    }  # fmt: skip
    tag = unquote(rung.tags["X-CT-Campaign"])
    assert tag
    assert campaign.startswith(tag.rstrip("…"))
    assert "\n" not in rung.name
    assert rung.number == caller
    if name == "emoji":
        assert campaign == text
        assert rung.name.startswith("google / cpc / весна")
