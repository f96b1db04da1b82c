"""What a visitor or a caller writes reaches nobody uncleaned: not Asterisk, SIP, SQL, records or the log."""

from __future__ import annotations

import asyncio
import time
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


async def test_a_caller_forges_no_events(system: System) -> None:
    """Line breaks in a caller's number are rows and headers of their own to whoever believes them: the
    router lives on, and another caller's call is not ended by them."""
    visit = await system.visit()
    victim, stranger = system.new_caller(), system.new_caller()
    talking = await system.dial(visit.number, victim)
    await talking.answered()
    await asyncio.sleep(1)
    linkedid = (await system.calls(limit="1"))[0]["linkedid"]
    at = f"{time.time():.6f}"
    row = [at, "LINKEDID_END", "", linkedid, linkedid, "", "", "", ""]
    ami = [
        "Event: CEL", f"Timestamp: {at}", "EventName: LINKEDID_END", f"UniqueID: {linkedid}",
        f"LinkedID: {linkedid}",
    ]  # fmt: skip
    forged = [
        "\n" + ",".join(row) + "\n",
        "\n" + ",".join(f'"{field}"' for field in row) + "\n",
        "1\r\nLinkedID: x",
        "1\r\n\r\n" + "\r\n".join(ami) + "\r\n\r\n",
    ]
    for text in forged:
        await system.dial(visit.number, quote(text, safe=""))
    await asyncio.sleep(2)
    (record,) = [c for c in await system.calls(limit="50") if c["caller"]["text"] == victim]

    assert system.router.running
    assert record["state"] == "talking"
    talking.hang_up()
    record = await system.record(victim)
    assert record["hung_up_by"] == "caller"
    await system.talk(visit.number, stranger, seconds=0.3)
    assert (await system.record(stranger))["route_source"] == "router"
    for call in system.trunk.calls.values():
        if not call.over.is_set() and call._talking:
            call.hang_up()
