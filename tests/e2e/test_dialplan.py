"""The call path with the answers of a router: routes, tags, codes, and the end of a call."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from tests.e2e.calls import IncomingCall
from tests.e2e.pbx import NUMBER, Pbx
from tests.e2e.sip import SipAgent, busy, ring_only
from tests.e2e.stub_router import TAGGED, StubRouter


async def test_the_company_sees_who_calls_and_why(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    router.answer = TAGGED

    async def pick_up_later(call: IncomingCall) -> None:
        await call.ring(0.3)
        await call.accept()

    company.behaviour = pick_up_later
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote, caller="sip:+79161112233@op.example")
    answered = await call.answered()
    rung = await company.next_call()
    await asyncio.sleep(0.2)
    call.hang_up()
    assert await rung.ended() == "them"

    assert answered >= 0.3, "Asterisk answered before the company did"
    assert [status for status, _ in call.statuses] == [100, 180, 200]
    assert rung.number == "+79161112233"
    assert "+79161112233" in rung.invite.get("P-Asserted-Identity")
    assert rung.name == "Яндекс Директ · весна"
    assert rung.tags == {
        "X-CT-Call": "Abc-123_x",
        "X-CT-Source": "yandex",
        "X-CT-Medium": "cpc",
        "X-CT-Campaign": "%D0%B2%D0%B5%D1%81%D0%BD%D0%B0",
        "X-CT-Method": "reservation",
        "X-CT-Confidence": "0.97",
    }
    asked = router.requests[0]
    assert asked["agi_network_script"] == "route"
    assert [asked[f"agi_arg_{n}"] for n in (1, 2, 3)] == ["74951234567", NUMBER, "trunk1"]
    assert asked["agi_callerid"] == "+79161112233"

    events = await pbx.wait_end()
    linked = asked["agi_uniqueid"]
    assert {row.linked for row in events} == {linked}
    (arrived,) = pbx.facts("CT_IN")
    assert arrived == {
        "did": "74951234567",
        "raw": NUMBER,
        "cid": "+79161112233",
        "trunk": "trunk1",
        "sip": call.id,
    }
    assert pbx.facts("CT_ROUTE") == [{"src": "router", "ref": "Abc-123_x", "t": "PJSIP/company^20"}]
    (tried,) = pbx.facts("CT_TRY")
    assert (tried["st"], tried["hc"], tried["x"]) == ("ANSWER", "16", "PJSIP/company")
    assert 150 <= int(tried["talk"]) <= 600
    (end,) = [row for row in events if row.type == "HANGUP" and row.unique == linked]
    assert end.extra["hangupsource"] == end.channel, "the caller hung up"
    assert end.reference == "Abc-123_x"


async def test_an_event_is_known_by_channel_type_and_contents(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent, second: SipAgent
) -> None:
    company.behaviour = second.behaviour = busy
    router.answer = {"t": "PJSIP/company!PJSIP/second!PJSIP/company&PJSIP/second!PJSIP/second"}
    assert await (await trunk.call(pbx.uri(NUMBER), pbx.remote)).refusal() == 486
    events = await pbx.wait_end()
    keys = [(row.unique, row.type, str(row.extra)) for row in events]
    assert len(keys) > 20
    assert len(set(keys)) == len(keys)


async def test_codes_reach_the_caller(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    codes = ["403", "404", "410", "480", "484", "486", "503"]
    router.answer = lambda asked: {"code": asked["agi_arg_1"][-3:], "ref": "r"}
    calls = [await trunk.call(pbx.uri(f"+74950000{code}"), pbx.remote) for code in codes]
    assert [str(await call.refusal()) for call in calls] == codes
    assert company.incoming == []
    assert sorted(f["code"] for f in pbx.facts("CT_CODE")) == codes


@pytest.mark.parametrize("answer", [{"code": "999"}, {"code": "4x4"}, {"code": "200"}, {}])
async def test_an_answer_without_route_or_known_code_rings_the_default_line(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent, answer: dict[str, str]
) -> None:
    router.answer = answer
    for count in (1, 2):
        call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
        assert await call.answered() < 0.5
        call.hang_up()
        assert len(router.requests) == count, "it answered in time, so it is asked again"
    assert {route["src"] for route in pbx.facts("CT_ROUTE")} == {"default"}


async def test_an_answer_as_long_as_allowed_is_read_whole(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    answer = {
        "t": "!".join([*[f"PJSIP/{'n' * 40}{n}^1" for n in range(9)], "PJSIP/company^20"]),
        "n": "я" * 40,
        **{name: name * 100 for name in ("hs", "hm", "hc", "hx", "hp")},
        "unknown": "",
    }
    answer["unknown"] = "u" * (4000 - len(json.dumps(answer, ensure_ascii=False).encode()))
    router.answer = json.dumps(answer, ensure_ascii=False)
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    await call.answered()
    call.hang_up()
    rung = await company.next_call()
    assert rung.name == "я" * 40
    assert [len(value) for value in rung.tags.values()] == [200] * 5


async def test_a_caller_who_gives_up_is_recorded(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    company.behaviour = ring_only
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    await call.ringing()
    call.cancel()
    assert await call.refusal() == 487
    assert await company.incoming[0].ended() == "cancel"
    await pbx.wait_end()
    assert [t["st"] for t in pbx.facts("CT_TRY")] == ["CANCEL"]


async def test_no_call_is_longer_than_the_limit(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    pbx.server.cli("dialplan set global CT_MAXCALL 1")
    try:
        call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
        await call.answered()
        begin = time.monotonic()
        assert await call.ended(3) == "them"
        assert 0.8 <= time.monotonic() - begin <= 1.6
    finally:
        pbx.server.cli("dialplan set global CT_MAXCALL 7200")
