"""What may be rung, in which order, and what the caller hears when it does not answer."""

from __future__ import annotations

from tests.e2e.calls import IncomingCall
from tests.e2e.pbx import NUMBER, Pbx
from tests.e2e.sip import SipAgent, ring_only
from tests.e2e.stub_router import TAGGED, StubRouter


async def test_targets_that_must_not_be_dialled_are_refused_again(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    pbx.put("ct-did", "74957770001", {"t": "PJSIP/company"})
    refused = {
        "PJSIP/+74957770001@trunk1": "ours",
        f"PJSIP/{NUMBER}@trunk1": "ours",  # it would come straight back, though it has no record
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
    await pbx.wait_reachable("trunk1")
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
    await pbx.wait_unreachable("dead")
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
