"""A real Asterisk with our dialplan, a caller and a company, and the time between their two INVITEs.

The dialplan that is measured is ours with three additions: which router it asks is a global, so that one
run can ask several in turn; it can be told to ask nobody and take an answer that stands in the file; and
a number of its own is a plain `Dial` and nothing else.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from router.firstrun.asterisk import AsteriskConfig, AsteriskServer
from tests.bench import machine
from tests.bench.servers import ANSWER
from tests.e2e.calls import IncomingCall
from tests.e2e.pbx import Pbx, new_asterisk
from tests.e2e.sip import SipAgent

# Answered by `Dial` alone. No E.164 number begins like this.
STATIC = "0000001"
_STATIC_DIAL = f"""
exten => {STATIC},1,Dial(PJSIP/company,25)
 same => n,Hangup()
"""
_ASKING = """ same => n,GotoIf($["${GLOBAL(BENCH_AGI)}" = "nobody"]?bench)
 same => n,AGI(agi://${GLOBAL(BENCH_AGI)}/"""
_NOT_ASKING = """
 same => n(bench),Set(CT_R=${GLOBAL(BENCH_ANSWER)})
 same => n,Goto(answer)
exten => T,1,Goto(s,answer)
"""


@dataclass(kw_only=True)
class Stand:
    """Asterisk between two telephones."""

    server: AsteriskServer
    caller: SipAgent
    company: SipAgent

    def ask(self, port: int) -> None:
        """From now on the dialplan asks the router on this port."""
        self._set("BENCH_AGI", f"127.0.0.1:{port}")
        self.close_breaker()

    def ask_nobody(self) -> None:
        """From now on the answer is the one in the file."""
        self._set("BENCH_AGI", "nobody")
        self.close_breaker()

    def close_breaker(self) -> None:
        self._set("CT_DOWN_UNTIL", "0")

    def _set(self, name: str, value: str) -> None:
        self.server.cli(f"dialplan set global {name} {value}")

    async def set_up(self, did: str, *, patience: float = 10) -> float:
        """Place one call to `did`, hang up when it is answered; seconds from the caller's INVITE to
        the company's."""
        self.caller.forget()
        self.company.forget()
        config = self.server.config
        call = await self.caller.call(f"sip:{did}@127.0.0.1", (config.sip_host, config.sip_port))
        arrived: IncomingCall = await self.company.next_call(timeout=patience)
        await call.answered(timeout=5)
        call.hang_up()
        await arrived.ended(timeout=5)
        return arrived.began - call.began


@asynccontextmanager
async def running() -> AsyncIterator[Stand]:
    """A stand that takes calls, on free ports."""
    with tempfile.TemporaryDirectory(
        prefix="call-router-bench-", ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o711)
        server = new_asterisk(Path(folder))
        config = server.config
        _prepare(server.conf / "extensions.conf", config)
        caller = await SipAgent.open(config.trunk_host, config.trunk_port)
        company = await SipAgent.open(config.company_host, config.company_port)
        try:
            # not in a thread: a child ends with the thread that started it
            server.start()
            machine.pin(server.pid, machine.ALL_CORES)
            await Pbx(server).wait_reachable("company")
            yield Stand(server=server, caller=caller, company=company)
        finally:
            await caller.close()
            await company.close()
            await asyncio.to_thread(server.stop)


def _prepare(extensions: Path, config: AsteriskConfig) -> None:
    text = extensions.read_text(encoding="utf-8")
    asking = f" same => n,AGI(agi://{config.agi_host}:{config.agi_port}/"
    for old, new in (
        ("[globals]\n", f"[globals]\nBENCH_AGI=nobody\nBENCH_ANSWER={ANSWER}\n"),
        ("[from-trunk]\n", f"[from-trunk]{_STATIC_DIAL}"),
        (asking, _ASKING),
        ("\nexten => T,1,Goto(s,answer)\n", _NOT_ASKING),
    ):
        if text.count(old) != 1:
            raise RuntimeError(f"extensions.conf no longer has one place like {old.strip()!r}")
        text = text.replace(old, new)
    extensions.write_text(text, encoding="utf-8")
