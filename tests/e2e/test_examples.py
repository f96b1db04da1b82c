"""What docs/asterisk.md tells an administrator to copy works as it is."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path

import pytest

from router.firstrun import render_asterisk, users
from router.firstrun.asterisk import AsteriskError, AsteriskServer
from tests.e2e.message import address
from tests.e2e.pbx import Pbx, find_prefix, free_base, new_asterisk
from tests.e2e.sip import SipAgent


@pytest.fixture
def own_folder(asterisk_folder: Path) -> Path:
    folder = asterisk_folder / secrets.token_hex(4)
    folder.mkdir(mode=0o711)
    return folder


async def test_the_example_of_a_registered_trunk_registers_and_takes_calls(
    own_folder: Path,
) -> None:
    server = new_asterisk(own_folder)
    config = server.config
    operator = await SipAgent.open("127.0.0.8", config.trunk_port)
    company = await SipAgent.open(config.company_host, config.company_port)
    example = (server.conf / "pjsip.d" / "registered-trunk.conf.example").read_text()
    for word, value in (
        ("SIP.OPERATOR.EXAMPLE:5060", f"127.0.0.8:{config.trunk_port}"),
        ("SIP.OPERATOR.EXAMPLE", "op.example"),
        ("203.0.113.10", "127.0.0.8"),
        ("ACCOUNT", "acc7495"),
        ("PASSWORD", "secret"),
        ("OPERATOR", "south"),
    ):
        assert word in example
        example = example.replace(word, value)
    mine = server.conf / "pjsip.d" / "south.conf"
    mine.write_text(example)
    users.give(mine, server.run_as)
    server.start()
    try:
        assert server.problems() == []
        end = time.monotonic() + 10
        while not operator.registered:
            assert time.monotonic() < end, "no registration came"
            await asyncio.sleep(0.05)
        contact = address(operator.registered[0].get("contact"))
        assert contact == f"sip:acc7495@{config.sip_host}:{config.sip_port}"
        assert 'username="acc7495"' in operator.registered[0].get("authorization")

        pbx = Pbx(server)
        await pbx.wait_reachable("company")
        call = await operator.call(contact, pbx.remote, to="sip:84951234567@op.example")
        await call.answered()
        call.hang_up()
        await pbx.wait_end()
        (arrived,) = pbx.facts("CT_IN")
        assert (arrived["did"], arrived["trunk"]) == ("74951234567", "south")
    finally:
        server.stop()
        await operator.close()
        await company.close()


SECRETS = {"CALL_ROUTER_AMI_EVENTS_SECRET": "e", "CALL_ROUTER_AMI_RECORDS_SECRET": "r"}


def test_a_configuration_for_an_asterisk_of_ones_own_is_written_and_starts(
    own_folder: Path,
) -> None:
    base = free_base()
    run_as = users.service_user()
    said = render_asterisk.main(
        [
            str(own_folder / "mine"),
            f"prefix={find_prefix()}",
            f"sip_port={base + 5}",
            f"ami_port={base + 3}",
            "trunk_host=198.51.100.7",
            "guard_seconds=1.5",
            *([f"run_as={run_as}"] if run_as else []),
        ],
        SECRETS,
    )
    conf = own_folder / "mine" / "conf"
    assert str(conf / "asterisk.conf") in said
    assert "contact = sip:198.51.100.7:5060" in (conf / "pjsip.d" / "trunk1.conf").read_text()
    assert "CT_GUARD=1.5" in (conf / "extensions.conf").read_text()
    config = render_asterisk.configuration(
        {"sip_port": str(base + 5), "ami_port": str(base + 3)}, SECRETS
    )
    server = AsteriskServer(find_prefix(), own_folder / "mine", config, run_as)
    server.start()
    try:
        assert server.problems() == []
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("given", "environment", "named"),
    [
        ({"sip_port": "many"}, SECRETS, "sip_port: 'many'"),
        ({"sip_prot": "5060"}, SECRETS, "sip_prot: no such value"),
        ({"events_secret": "x"}, SECRETS, "CALL_ROUTER_AMI_EVENTS_SECRET"),
        ({}, {}, "CALL_ROUTER_AMI_EVENTS_SECRET is not set"),
    ],
)
def test_a_wrong_value_is_named(
    given: dict[str, str], environment: dict[str, str], named: str
) -> None:
    with pytest.raises(AsteriskError, match=named):
        render_asterisk.configuration(given, environment)
