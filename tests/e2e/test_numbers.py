"""Who calls and what he dialled: every form of a number, hidden callers, hostile names."""

from __future__ import annotations

import pytest

from tests.e2e.calls import Refused
from tests.e2e.pbx import NUMBER, Pbx
from tests.e2e.sip import SipAgent
from tests.e2e.stub_router import TAGGED, StubRouter


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
        "+12125551234": "12125551234",
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


@pytest.mark.parametrize("user", ["+74957654321", "84957654321", "4957654321", "74957654321"])
async def test_a_callers_number_is_one_whatever_the_operator_writes(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent, user: str
) -> None:
    """Question and record have E.164; the company sees the number as it came."""
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote, caller=f"sip:{user}@op.example")
    await call.answered()
    rung = await company.next_call()
    call.hang_up()
    await pbx.wait_end()

    assert router.requests[0]["agi_arg_4"] == "+74957654321"
    assert pbx.facts("CT_IN")[0]["cid"] == "+74957654321"
    assert rung.number == user


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
    assert not [name for name in router.requests[0] if "evil" in name.lower()]
    assert router.requests[0]["agi_callerid"] == "+7916X-Evil"
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


async def test_no_number_brings_a_variable_of_its_own(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    """The caller's and the dialled one, and the copies that Asterisk keeps of both."""
    evil = "%0Aagi_uniqueid%3A%20another%0Aagi_evil%3A%201"
    call = await trunk.call(
        pbx.uri(NUMBER + evil),
        pbx.remote,
        caller=f"sip:+79161112233{evil}@op.example",
        headers=[("Diversion", f"<sip:+79160000000{evil}@op.example>;reason=unconditional")],
    )
    await call.answered()
    call.hang_up()
    await pbx.wait_end()
    asked = router.requests[0]
    linked = {row.linked for row in pbx.events() if row.linked.startswith("test-")}
    assert {asked["agi_uniqueid"]} == linked
    assert "agi_evil" not in asked
