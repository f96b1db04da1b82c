"""The company's telephone rings, in time, whatever state the router is in."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.e2e.pbx import NUMBER, Pbx
from tests.e2e.sip import SipAgent
from tests.e2e.stub_router import Mode, StubRouter

QUICK = 0.5  # what misbehaves at once may cost this much on a busy machine; alone it is 0.02 s
GUARD = 1.0


async def ring_once(pbx: Pbx, trunk: SipAgent, number: str = NUMBER) -> float:
    """One call that must be answered; seconds until the caller heard ringing."""
    call = await trunk.call(pbx.uri(number), pbx.remote)
    rang = await call.ringing()
    await call.answered()
    call.hang_up()
    return rang


@pytest.mark.parametrize("mode", ["close", "rubbish", "not json", "half"])
async def test_the_default_line_rings_at_once_when_the_router_talks_nonsense(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent, mode: Mode
) -> None:
    router.mode = mode
    assert await ring_once(pbx, trunk) < QUICK
    assert len(company.incoming) == 1
    await pbx.wait_end()
    assert [route["src"] for route in pbx.facts("CT_ROUTE")] == ["default"]


async def test_a_router_that_is_gone_is_asked_again_as_soon_as_it_is_back(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    await router.refuse()
    for _ in range(3):
        assert await ring_once(pbx, trunk) < QUICK
    await router.listen()
    await ring_once(pbx, trunk)
    await pbx.wait_end(4)
    sources = [route["src"] for route in pbx.facts("CT_ROUTE")]
    assert sources == ["default", "default", "default", "router"]


async def test_a_silent_router_costs_one_call_its_guard_and_the_next_nothing(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    router.mode = "silent"
    assert GUARD <= await ring_once(pbx, trunk) <= 2.1
    assert await ring_once(pbx, trunk) < QUICK
    assert len(router.requests) == 1, "while the breaker is open the router is left alone"
    await asyncio.sleep(pbx.server.config.breaker_seconds + 1)
    router.mode = "answer"
    await ring_once(pbx, trunk)
    await pbx.wait_end(3)
    assert [route["src"] for route in pbx.facts("CT_ROUTE")] == ["default", "default", "router"]


async def test_an_answer_that_came_before_the_router_hung_is_used(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    router.mode = "keep"
    router.answer = {"t": "PJSIP/company^20", "hs": "kept"}
    assert GUARD <= await ring_once(pbx, trunk) <= 2.1
    assert company.incoming[0].tags == {"X-CT-Source": "kept"}
    router.mode = "answer"
    assert await ring_once(pbx, trunk) < QUICK
    assert len(router.requests) == 2, "an answer was had: the breaker stays shut"


async def test_a_slow_answer_within_the_guard_is_used(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    router.mode, router.delay = "slow", 0.5
    assert 0.5 <= await ring_once(pbx, trunk) < GUARD
    await pbx.wait_end()
    assert [route["src"] for route in pbx.facts("CT_ROUTE")] == ["router"]


async def test_one_late_answer_without_a_route_shuts_nobody_else_out(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    """The router lives; what kept it was this call's own."""
    router.mode, router.delay, router.answer = "slow", 0.4, {}
    assert 0.4 <= await ring_once(pbx, trunk) < GUARD
    router.mode, router.answer = "answer", {"t": "PJSIP/company^20"}
    assert await ring_once(pbx, trunk) < QUICK
    await pbx.wait_end(2)
    assert [route["src"] for route in pbx.facts("CT_ROUTE")] == ["default", "router"]


async def test_a_caller_who_gives_up_while_the_router_is_silent_leaves_no_channel(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    router.mode = "silent"
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    await asyncio.sleep(0.3)
    call.cancel()
    assert await call.refusal() == 487
    begin = time.monotonic()
    await pbx.idle()
    assert time.monotonic() - begin < 0.8
    assert company.incoming == []


async def test_the_number_s_own_record_comes_first_then_the_trunk_s_then_the_default(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent, second: SipAgent
) -> None:
    await router.refuse()
    pbx.put("ct-did", "74951234567", {"t": "PJSIP/second^20", "v": "7"})
    await ring_once(pbx, trunk)
    assert (len(second.incoming), len(company.incoming)) == (1, 0)
    pbx.put("ct-trunk", "trunk1", {"t": "PJSIP/second^20"})
    await ring_once(pbx, trunk, "+74959999999")
    assert (len(second.incoming), len(company.incoming)) == (2, 0)
    # spoilt records are passed over
    pbx.put("ct-did", "74951234567", '{"t": broken')
    pbx.put("ct-trunk", "trunk1", {"t": "Local/s@ct-call"})
    await ring_once(pbx, trunk)
    assert (len(second.incoming), len(company.incoming)) == (2, 1)
    await pbx.wait_end(3)
    sources = [route["src"] for route in pbx.facts("CT_ROUTE")]
    assert sources == ["db", "trunk", "trunk", "default"]


async def test_records_outlive_a_restart_without_any_router(
    pbx: Pbx, trunk: SipAgent, company: SipAgent, second: SipAgent
) -> None:
    pbx.put("ct-did", "74951234567", {"t": "PJSIP/second^20", "v": "7"})
    pbx.server.stop()
    assert not pbx.server.running
    pbx.server.start()
    await ring_once(pbx, trunk)
    assert (len(second.incoming), len(company.incoming)) == (1, 0)


async def test_records_outlive_a_power_cut(
    pbx: Pbx, trunk: SipAgent, company: SipAgent, second: SipAgent
) -> None:
    pbx.put("ct-did", "74951234567", {"t": "PJSIP/second^20", "v": "7"})
    await asyncio.sleep(1.5)  # Asterisk commits once a second
    pbx.server.kill()
    pbx.server.start()
    await ring_once(pbx, trunk)
    assert (len(second.incoming), len(company.incoming)) == (1, 0)


async def test_while_the_router_is_silent_an_unknown_number_rings_and_is_not_refused(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    router.mode = "silent"
    calls = [await trunk.call(pbx.uri(f"+7495888000{n}"), pbx.remote) for n in range(5)]
    for call in calls:
        assert await call.answered() <= 2.1
        call.hang_up()
    assert len(company.incoming) == 5
