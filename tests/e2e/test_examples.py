"""What docs/asterisk.md tells an administrator to copy works as it is."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from router.firstrun import users
from tests.e2e.message import address
from tests.e2e.pbx import Pbx, new_asterisk
from tests.e2e.sip import SipAgent


@pytest.fixture
def own_folder(asterisk_folder: Path) -> Path:
    folder = asterisk_folder / "examples"
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
        ("OPERATOR", "beeline"),
    ):
        assert word in example
        example = example.replace(word, value)
    mine = server.conf / "pjsip.d" / "beeline.conf"
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
        await pbx.wait_seen("company")
        call = await operator.call(contact, pbx.remote, to="sip:84951234567@op.example")
        await call.answered()
        call.hang_up()
        await pbx.wait_end()
        (arrived,) = pbx.facts("CT_IN")
        assert (arrived["did"], arrived["trunk"]) == ("74951234567", "beeline")
    finally:
        server.stop()
        await operator.close()
        await company.close()
