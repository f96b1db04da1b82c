"""Writes the transcripts of this folder anew, from real calls on a real Asterisk.

    python -m tests.transcripts.capture ROOT_OF_A_PATCHED_PREFIX

Addresses, names and times in them are those of the run; docs/asterisk.md explains the fields.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from router.firstrun import users
from router.firstrun.asterisk import AsteriskConfig, AsteriskServer
from tests.e2e import sip
from tests.e2e.calls import IncomingCall
from tests.e2e.stub_router import StubRouter, stub_router

FOLDER = Path(__file__).parent
PORT = 18180
NUMBER = "+74951234567"
ANSWER = {
    "ref": "Zx3_demo-ref",
    "t": "PJSIP/company^20",
    "n": "Google Ads · весна",
    "hs": "google",
    "hm": "cpc",
    "hc": "spring",
    "hx": "reservation",
    "hp": "0.97",
}


async def events(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"Action: Login\r\nUsername: ct-events\r\nSecret: events\r\nEvents: on\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def drain(reader: asyncio.StreamReader) -> bytes:
    """Everything up to half a second of quiet."""
    found = b""
    while True:
        try:
            piece = await asyncio.wait_for(reader.read(65536), 0.5)
        except TimeoutError:
            return found
        found += piece


async def ring_long(call: IncomingCall) -> None:
    await call.ring(5)
    await call.accept()


async def talk_and_hang_up(call: IncomingCall) -> None:
    await call.ring(0.2)
    await call.accept()
    await asyncio.sleep(1)
    call.hang_up()


async def run(server: AsteriskServer, stub: StubRouter) -> None:
    config = server.config
    target = (config.sip_host, config.sip_port)
    uri = f"sip:{NUMBER}@{config.sip_host}:{config.sip_port}"
    trunk = await sip.SipAgent.open(config.trunk_host, config.trunk_port, frequency=500)
    company = await sip.SipAgent.open(config.company_host, config.company_port)
    server.cli("pjsip qualify company")
    await asyncio.sleep(0.3)
    reader, writer = await events(config.ami_port)
    await drain(reader)

    async def keep(name: str) -> None:
        heard = await drain(reader)
        (FOLDER / f"{name}.ami").write_bytes(heard)
        (FOLDER / f"{name}.csv").write_text(server.cel_file.read_text())
        server.cel_file.unlink()

    async def answered(name: str, number: str = NUMBER) -> None:
        company.behaviour = sip.answer
        call = await trunk.call(uri.replace(NUMBER, number), target)
        await call.answered()
        await asyncio.sleep(1)
        call.hang_up()
        await keep(name)

    stub.answer = ANSWER
    await answered("answered")
    company.behaviour = ring_long
    call = await trunk.call(uri, target)
    await call.ringing()
    await asyncio.sleep(0.3)
    call.cancel()
    await keep("cancelled")
    company.behaviour = sip.busy
    await (await trunk.call(uri, target)).refusal()
    await keep("busy")
    company.behaviour = talk_and_hang_up
    await (await trunk.call(uri, target)).ended()
    await keep("company_hangs_up")
    stub.answer = {"code": "404", "ref": "Zx3_demo-ref"}
    await (await trunk.call(uri, target)).refusal()
    await keep("refused_by_code")
    stub.answer = {**ANSWER, "t": "PJSIP/+112@trunk1!PJSIP/company&PJSIP/nowhere^20"}
    await answered("refused_target_then_two_together")
    await stub.refuse()
    server.cli('database put ct-did 74951234567 "{\\"t\\":\\"PJSIP/company^20\\",\\"v\\":\\"7\\"}"')
    await answered("failsafe_number")
    await answered("failsafe_default", "+74951230000")
    writer.close()
    for agent in (trunk, company):
        if agent.problems:
            raise agent.problems[0]
        await agent.close()


async def capture(prefix: Path, folder: Path) -> None:
    config = AsteriskConfig.for_port(
        PORT, system_name="pbx1", events_secret="events", records_secret="records"
    )
    server = AsteriskServer(prefix, folder / "asterisk", config, users.service_user())
    server.render()
    server.start()
    try:
        async with stub_router(config.agi_port) as stub:
            await run(server, stub)
    finally:
        server.stop()
        print("\n".join(server.problems()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ct-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        asyncio.run(capture(Path(sys.argv[1]), Path(folder)))
