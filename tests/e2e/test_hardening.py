"""Who gets in, what he may do, and what an account may do."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.ami import Manager
from tests.e2e.message import offer
from tests.e2e.pbx import NUMBER, STRANGER, Pbx
from tests.e2e.sip import SipAgent
from tests.e2e.stub_router import StubRouter

METHODS = ("INVITE", "REGISTER", "OPTIONS", "SUBSCRIBE", "MESSAGE")


@pytest.mark.parametrize("name", ["trunk1", "company", "nobody-of-that-name"])
async def test_a_stranger_gets_401_whoever_he_says_he_is(
    pbx: Pbx, router: StubRouter, company: SipAgent, name: str
) -> None:
    host, port = pbx.remote
    stranger = await SipAgent.open(STRANGER)
    for method in METHODS:
        body = offer(STRANGER, 40000) if method == "INVITE" else ""
        headers = [("Content-Type", "application/sdp")] if body else [("Event", "presence")]
        status = await stranger.request(
            method,
            pbx.uri(NUMBER),
            pbx.remote,
            sender=f"sip:{name}@{host}:{port}",
            headers=headers,
            body=body,
        )
        assert status == 401, method
    await stranger.close()
    assert router.requests == []
    assert company.incoming == []
    log = (pbx.server.base / "log" / "security.log").read_text()
    assert any(STRANGER in line and "ChallengeSent" not in line for line in log.splitlines()), (
        "fail2ban has nothing to go by"
    )


async def test_the_company_may_dial_nothing(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    for user in (NUMBER, "+79161112233", "s", "company", "112"):
        call = await company.call(pbx.uri(user), pbx.remote)
        assert await call.refusal() in (404, 484)
    assert trunk.incoming == company.incoming == []
    assert router.requests == []


async def test_nobody_may_transfer_a_call(
    pbx: Pbx, router: StubRouter, trunk: SipAgent, company: SipAgent
) -> None:
    call = await trunk.call(pbx.uri(NUMBER), pbx.remote)
    await call.answered()
    rung = await company.next_call()
    for side in (call, rung):
        assert await side.refer(pbx.uri("+79161112233")) == 603
    await asyncio.sleep(0.2)
    assert not call.over.is_set()
    assert not rung.over.is_set()
    assert trunk.incoming == []
    call.hang_up()


async def test_the_account_for_events_can_change_nothing(pbx: Pbx) -> None:
    manager = await Manager.login(pbx.server.config.ami_port, "ct-events", "events")
    for name, fields in (
        ("Originate", {"Channel": "PJSIP/company", "Application": "Echo"}),
        ("Command", {"Command": "core show version"}),
        ("Setvar", {"Variable": "CT_DEFAULT", "Value": "PJSIP/x"}),
        ("Redirect", {"Channel": "x", "Exten": "s", "Context": "ct-call", "Priority": "1"}),
        ("DBPut", {"Family": "ct-did", "Key": "1", "Val": "x"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("UpdateConfig", {"SrcFilename": "x", "DstFilename": "x"}),
        ("ModuleLoad", {"LoadType": "reload"}),
        ("Hangup", {"Channel": "x"}),
    ):
        answer = await manager.action(name, **fields)
        assert answer["Response"] == "Error", name
        assert "ermission" in answer["Message"], name
    shown = await manager.action("CoreShowChannels")
    assert shown["Response"] == "Success", "it has to see the live channels after a reconnect"
    await manager.close()


async def test_the_account_for_records_keeps_records_and_little_else(pbx: Pbx) -> None:
    manager = await Manager.login(pbx.server.config.ami_port, "ct-records", "records")
    at = {"Family": "ct-did", "Key": "74950001122"}
    assert (await manager.action("DBPut", **at, Val='{"t":"PJSIP/x"}'))["Response"] == "Success"
    assert '{"t":"PJSIP/x"}' in pbx.server.cli("database get ct-did 74950001122")
    assert (await manager.action("DBGet", **at))["Response"] == "Success"
    assert (await manager.action("DBDel", **at))["Response"] == "Success"
    for name, fields in (
        ("Originate", {"Channel": "PJSIP/company", "Application": "Echo"}),
        ("Command", {"Command": "core show version"}),
        ("Setvar", {"Variable": "CT_DEFAULT", "Value": "PJSIP/x"}),
        ("Redirect", {"Channel": "x", "Exten": "s", "Context": "ct-call", "Priority": "1"}),
        ("UpdateConfig", {"SrcFilename": "x", "DstFilename": "x"}),
    ):
        answer = await manager.action(name, **fields)
        assert answer["Response"] == "Error", name
        assert "ermission" in answer["Message"], name
    await manager.close()


@pytest.mark.parametrize(("user", "secret"), [("ct-events", "wrong"), ("admin", "admin")])
async def test_a_wrong_login_is_refused(pbx: Pbx, user: str, secret: str) -> None:
    with pytest.raises(PermissionError):
        await Manager.login(pbx.server.config.ami_port, user, secret)
