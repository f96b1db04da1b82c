"""The call path with the router's answers: routes, tags, codes, numbers, callers, targets."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from tests.e2e.calls import IncomingCall, Refused
from tests.e2e.pbx import Pbx
from tests.e2e.sip import SipAgent
from tests.e2e.stub_router import StubRouter

NUMBER = "+74951234567"
TAGGED = {
    "ref": "Abc-123_x",
    "t": "PJSIP/company^20",
    "n": "Яндекс Директ · весна",
    "hs": "yandex",
    "hm": "cpc",
    "hc": "%D0%B2%D0%B5%D1%81%D0%BD%D0%B0",
    "hx": "reservation",
    "hp": "0.97",
}


async def ring_only(call: IncomingCall) -> None:
    await call.ring()


async def busy(call: IncomingCall) -> None:
    call.refuse(486)


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


async def test_every_form_of_a_number_is_one_number(
    pbx: Pbx, router: StubRouter, trunk: SipAgent
) -> None:
    forms = {
        "+74951234567": "74951234567",
        "74951234567": "74951234567",
        "84951234567": "74951234567",
        "4951234567": "74951234567",
        "+74951234567;npdi=yes;rn=+79990000000": "74951234567",
        "%2B74951234567": "74951234567",
        "+7-495-123-45-67": "74951234567",
        "+442071234567": "442071234567",
        "810442071234567": "810442071234567",
    }
    router.answer = {"code": "404"}
    for at, form in enumerate(forms):
        caller = f"sip:+7916000000{at}@op.example"
        call = await trunk.call(pbx.uri(form), pbx.remote, caller=caller)
        assert await call.refusal() == 404, form
    assert [asked["agi_arg_1"] for asked in router.requests] == list(forms.values())


async def test_a_registered_trunk_names_the_number_in_to(
    pbx: Pbx, router: StubRouter, shared_pbx: Pbx
) -> None:
    operator = await SipAgent.open("127.0.0.4", shared_pbx.server.config.trunk_port)
    router.answer = {"code": "404"}
    asked_for = [
        ("account17", "+74951234567"),
        ("s", "84951234567"),
        ("7", "4951234567"),
        ("12", "+74951234567;npdi=yes;rn=+79990000000"),
        ("account17", "%2B74951234567"),
    ]
    for user, to in asked_for:
        call = await operator.call(pbx.uri(user), pbx.remote, to=f"sip:{to}@op.example")
        assert await call.refusal() == 404, (user, to)
    await operator.close()
    heard = [(asked["agi_arg_1"], asked["agi_arg_3"]) for asked in router.requests]
    assert heard == [("74951234567", "trunk2")] * len(asked_for)


async def test_nothing_but_a_number_can_be_dialled(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    for user in ("h", "i", "t", "T", "T!", "(", "~x", "{x}"):
        call = await trunk.call(pbx.uri(user), pbx.remote)
        with pytest.raises((Refused, TimeoutError)):  # refused, or not SIP and dropped
            await call.answered(timeout=0.4)
        call.over.set()
    assert company.incoming == []
    assert router.requests == []


async def test_a_caller_who_hides_his_number_is_served_and_stays_hidden(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    router.answer = TAGGED
    call = await trunk.call(
        pbx.uri(NUMBER),
        pbx.remote,
        caller="sip:anonymous@anonymous.invalid",
        name="Anonymous",
        headers=[
            ("P-Asserted-Identity", "<sip:+79161112233@op.example>"),
            ("Privacy", "id"),
        ],
    )
    await call.answered()
    rung = await company.next_call()
    call.hang_up()
    assert "9161112233" not in rung.invite.encode().decode()
    assert "9161112233" not in str(router.requests)
    assert rung.tags["X-CT-Source"] == "yandex"
    await pbx.wait_end()
    assert pbx.facts("CT_IN")[0]["cid"] == ""


async def test_a_caller_without_number_is_served(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    call = await trunk.call(
        pbx.uri(NUMBER), pbx.remote, caller="sip:anonymous@anonymous.invalid", name="Anonymous"
    )
    await call.answered()
    call.hang_up()
    assert len(router.requests) == len(company.incoming) == 1


async def test_no_header_can_be_smuggled_in(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    evil = "\r\nX-Evil: 1\r\n\r\nv=0"
    router.answer = {
        "ref": f"a b{evil}",
        "t": "PJSIP/company^20",
        "n": f'Гугл "реклама" \\ 🚀{evil}',
        **dict.fromkeys(("hs", "hm", "hc", "hx", "hp"), f"x%0D%0A{evil}"),
    }
    call = await trunk.call(
        pbx.uri(NUMBER),
        pbx.remote,
        caller="sip:+7916%0d%0aX-Evil:%201@op.example",
        name='Ещё \\"имя\\" 🚀',
    )
    await call.answered()
    rung = await company.next_call()
    call.hang_up()
    assert not [name for name in rung.invite.names() if "evil" in name.lower()]
    assert "Гугл" in rung.name
    assert "🚀" in rung.name
    assert "X-Evil" not in rung.invite.get("X-CT-Source").split()
    await pbx.wait_end()
    assert pbx.facts("CT_ROUTE")[0]["ref"] == "abX-Evil1v0"


async def test_a_name_of_the_caller_is_kept_where_the_router_gives_none(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote, name="Анна 🚀")
    await call.answered()
    call.hang_up()
    assert (await company.next_call()).name == "Анна 🚀"


async def test_targets_that_must_not_be_dialled_are_refused_again(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    pbx.put("ct-did", "74957770001", {"t": "PJSIP/company"})
    refused = {
        "PJSIP/+74957770001@trunk1": "ours",
        "PJSIP/+112@trunk1": "short",
        "PJSIP/+881612345678@trunk1": "barred",
        "PJSIP/+78091234567@trunk1": "barred",
        "PJSIP/+19001234567@trunk1": "barred",
        "PJSIP/112@trunk1": "form",
        "PJSIP/84957770001@trunk1": "form",
        "Local/s@ct-call": "form",
        "PJSIP/company/sip:+79161112233@127.0.0.2": "form",
        "SIP/company": "form",
        'PJSIP/company,60,G(x^y^1)"': "form",
        "company": "form",
    }
    router.answer = {"t": "!".join([*refused, "PJSIP/+113@trunk1&PJSIP/company"])}
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    await call.answered()
    call.hang_up()
    await pbx.wait_end()
    tries = pbx.facts("CT_TRY")
    whys = [tried["why"] for tried in tries if tried["st"] == "REFUSED"]
    assert whys == [*refused.values(), "short"]
    assert [tried["x"] for tried in tries if tried["st"] == "ANSWER"] == ["PJSIP/company"]
    assert trunk.incoming == []


async def test_a_telephone_is_rung_through_the_trunk_without_tags(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    router.answer = {**TAGGED, "t": "PJSIP/+79031234567@trunk1^20"}
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    await call.answered()
    call.hang_up()
    rung = await trunk.next_call()
    assert "sip:+79031234567@" in rung.invite.uri
    assert rung.tags == {}


async def test_a_plan_is_rung_step_by_step(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent, second: SipAgent
) -> None:
    company.behaviour = ring_only
    router.answer = {"t": "PJSIP/company^1!PJSIP/second^5"}
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    assert 1.0 <= await call.answered() < 1.6
    call.hang_up()
    await pbx.wait_end()
    tries = [(t["i"], t["x"], t["st"]) for t in pbx.facts("CT_TRY")]
    assert tries == [("1", "PJSIP/company", "NOANSWER"), ("2", "PJSIP/second", "ANSWER")]


async def test_what_the_company_says_reaches_the_caller(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent, second: SipAgent
) -> None:
    """The default line is not rung behind the back of a plan whose line was busy or silent."""
    pbx.server.cli("dialplan set global CT_DEFAULT PJSIP/second^20")
    try:
        for says, caller_gets in ((486, 486), (600, 486), (480, 480)):

            async def refuse(call: IncomingCall, status: int = says) -> None:
                call.refuse(status)

            company.behaviour = refuse
            call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
            assert await call.refusal() == caller_gets, says
        company.behaviour = ring_only
        router.answer = {"t": "PJSIP/company^1"}
        assert await (await trunk.call(pbx.uri(NUMBER), pbx.remote)).refusal() == 480
        assert second.incoming == []
        # a line that is out of order has not had the call: the next in the order is rung
        for count, out_of_order in enumerate((404, 503, 500, 603), start=1):

            async def fail(call: IncomingCall, status: int = out_of_order) -> None:
                call.refuse(status)

            company.behaviour = fail
            call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
            await call.answered()
            call.hang_up()
            assert len(second.incoming) == count
    finally:
        pbx.server.cli("dialplan set global CT_DEFAULT PJSIP/company^25")


async def test_lines_that_are_down_cost_no_ringing_time(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    await pbx.wait_seen("dead", "Unavail")
    router.answer = {"t": "PJSIP/dead^20!PJSIP/nobody^20!PJSIP/mute^1"}
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    assert 1.0 <= await call.answered() < 1.6, "only the line that is not asked costs its time"
    call.hang_up()
    await pbx.wait_end()
    assert [t["st"] for t in pbx.facts("CT_TRY")] == [
        "CHANUNAVAIL",
        "CHANUNAVAIL",
        "NOANSWER",
        "ANSWER",
    ]


async def test_a_forwarding_target_sends_the_call_nowhere(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent, second: SipAgent
) -> None:
    async def forward(call: IncomingCall) -> None:
        to = f"<sip:+88161234567@127.0.0.2:{trunk.port}>"
        call.reply(302, headers=[("Contact", to)])

    company.behaviour = forward
    router.answer = {"t": "PJSIP/company^3!PJSIP/second^3"}
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    await call.answered()
    call.hang_up()
    assert len(second.incoming) == 1
    assert trunk.incoming == []


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
