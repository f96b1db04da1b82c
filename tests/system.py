"""The whole system for tests: PostgreSQL, Asterisk, the router and two telephones, each breakable.

Everything is the real thing; only the visitor's browser is replaced by the requests its snippet makes.
"""

from __future__ import annotations

import array
import asyncio
import io
import json
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from router.firstrun import demo, http_client, process, users
from router.firstrun.asterisk import AsteriskServer
from router.firstrun.instance import Instance
from router.firstrun.postgres import PostgresServer
from router.firstrun.state import Ports
from tests.e2e.calls import IncomingCall, OutgoingCall
from tests.e2e.pbx import CHECKOUT, Pbx, find_prefix, free_base
from tests.e2e.sip import SipAgent

LANDING = "/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=test-click"
COMPANY_TONE, CALLER_TONE = 1500, 500


@dataclass(frozen=True)
class Visit:
    """What a page was told."""

    number: str
    session: str
    visitor: str
    how: str
    token: str | None


class Router:
    """`python -m router serve` as a process of its own."""

    def __init__(self, settings: Mapping[str, str], log: Path, ready_url: str) -> None:
        self.settings = dict(settings)
        self.log = log
        self._ready_url = ready_url
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, "the router was not started"
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start without waiting."""
        self._child = process.start(
            [sys.executable, "-m", "router", "serve"],
            log=self.log,
            env={"PATH": "/usr/bin:/bin", **self.settings},
            cwd=CHECKOUT,
        )

    async def ready(self, timeout: float = 20) -> None:
        """Wait until it says that it is ready: database, AMI and fail-safe records."""
        end = time.monotonic() + timeout
        problem: object = "not asked"
        while time.monotonic() < end:
            assert self.running, f"the router ended: {process.tail(self.log, 30)}"
            try:
                await asyncio.to_thread(http_client.get, self._ready_url, seconds=2)
            except http_client.RequestFailed as error:
                problem = error
                await asyncio.sleep(0.1)
            else:
                return
        raise AssertionError(f"the router is not ready: {problem}\n{process.tail(self.log, 30)}")

    def stop(self) -> None:
        if self._child is not None:
            process.stop(self._child, within=10)

    def kill(self) -> None:
        assert self._child is not None
        self._child.kill()
        self._child.wait()

    def freeze(self) -> None:
        process.send([self.pid], signal.SIGSTOP)

    def thaw(self) -> None:
        process.send([self.pid], signal.SIGCONT)

    def lines(self) -> list[dict[str, Any]]:
        """Its log so far; every line is JSON."""
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@dataclass
class System:
    """Everything that runs, and what a visitor, a caller and the staff do with it."""

    instance: Instance
    postgres: PostgresServer
    asterisk: AsteriskServer
    router: Router
    company: SipAgent
    trunk: SipAgent
    token: str = field(repr=False)
    _callers: int = 0

    @property
    def pbx(self) -> Pbx:
        return Pbx(self.asterisk)

    def new_caller(self) -> str:
        """A telephone number that nobody in this test run has called from."""
        self._callers += 1
        return f"+7916{self._callers:07d}"

    async def visit(self, landing: str = LANDING, **body: Any) -> Visit:
        """One page view, as the snippet reports it."""
        asked = {
            "site": demo.SITE_KEY,
            "url": self.instance.site_url + landing,
            "referrer": "",
            "visitor": None,
            "session": None,
            **body,
        }
        answer = await self._post("/v1/visits", asked)
        return Visit(
            number=answer["number"]["e164"],
            session=answer["session"],
            visitor=answer["visitor"],
            how=answer["how"],
            token=answer["token"],
        )

    async def heartbeat(self, visit: Visit) -> Any:
        """The page is visible and used."""
        return await self._post(
            "/v1/heartbeats",
            {
                "site": demo.SITE_KEY,
                "session": visit.session,
                "token": visit.token,
                "visible": True,
                "input": True,
                "number": visit.number,
            },
        )

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        url = self.instance.public_url + path
        return await asyncio.to_thread(http_client.post, url, body, origin=self.instance.site_url)

    async def dial(self, number: str, caller: str) -> OutgoingCall:
        """Send an INVITE from the operator; returns at once."""
        return await self.trunk.call(
            self.pbx.uri(number), self.pbx.remote, caller=f"sip:{caller}@operator.example"
        )

    async def talk(
        self, number: str, caller: str, seconds: float = 1.0, within: float = 5
    ) -> tuple[IncomingCall, float]:
        """A whole call: the company rings and answers, both talk, the caller hangs up.

        Returns the company's side and the seconds from the caller's INVITE to the company's.
        """
        before = len(self.company.incoming)
        call = await self.dial(number, caller)
        rung = await self.company.next_call(before + 1, timeout=within)
        setup = rung.began - call.began
        await call.answered()
        await asyncio.sleep(seconds)
        call.hang_up()
        await rung.ended()
        return rung, setup

    async def calls(self, **query: str) -> list[dict[str, Any]]:
        """The staff's list of calls."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        answer = await asyncio.to_thread(
            http_client.get, f"{self.instance.staff_url}/v1/calls?{text}", token=self.token
        )
        found: list[dict[str, Any]] = answer["calls"]
        return found

    async def explained(self, ref: str) -> dict[str, Any]:
        """One call with everything about it: its record, and beside it session and decisions."""
        answer: dict[str, Any] = await asyncio.to_thread(
            http_client.get, f"{self.instance.staff_url}/v1/calls/{ref}", token=self.token
        )
        return {**answer["call"], "session": answer["session"], "decisions": answer["decisions"]}

    async def listen(self, url: str) -> array.array[int]:
        """The samples of a recording as staff hear it: caller left, company right."""

        def fetch() -> bytes:
            request = urllib.request.Request(
                self.instance.staff_url + url, headers={"Authorization": f"Bearer {self.token}"}
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                data: bytes = answer.read()
                return data

        with wave.open(io.BytesIO(await asyncio.to_thread(fetch))) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 8000)
            return array.array("h", file.readframes(file.getnframes()))

    async def record(self, caller: str, timeout: float = 30) -> dict[str, Any]:
        """The finished, attributed record of the one call by `caller`, its recordings looked for."""
        end = time.monotonic() + timeout
        last: object = "no row"
        while time.monotonic() < end:
            try:
                rows = [c for c in await self.calls(limit="200") if c["caller"]["text"] == caller]
            except http_client.RequestFailed as error:
                rows, last = [], error
            assert len(rows) <= 1, f"{caller} called once and has {len(rows)} rows: {rows}"
            if rows:
                last = rows[0]
                whole = await self.explained(rows[0]["ref"])
                if whole["state"] == "ended" and whole["attribution"] is not None:
                    if whole["outcome"] != "answered" or whole["recordings"]:
                        return whole
                    last = whole
            await asyncio.sleep(0.2)
        raise AssertionError(
            f"no finished record of {caller} within {timeout:g} s: {last}\n"
            + process.tail(self.router.log, 20)
        )


@asynccontextmanager
async def new_system(folder: Path, *, with_router: bool = True) -> AsyncIterator[System]:
    """Start everything in `folder` on free ports; stop it by its own handles."""
    folder.chmod(0o711)
    ports = Ports(base=free_base())
    names = ("DATABASE_PASSWORD", "AMI_EVENTS_SECRET", "AMI_RECORDS_SECRET")
    instance = Instance(
        checkout=CHECKOUT,
        state=folder,
        ports=ports,
        run_as=users.service_user(),
        secrets={name: secrets.token_urlsafe(16) for name in names},
    )
    (folder / "log").mkdir()
    postgres = instance.postgres()
    asterisk = AsteriskServer(
        find_prefix(), folder / "asterisk", _asterisk_config(instance), instance.run_as
    )
    asterisk.render()
    router = Router(
        instance.router_settings(postgres.dsn(), asterisk),
        folder / "log/router.log",
        f"{instance.staff_url}/ready",
    )
    company = await SipAgent.open(
        asterisk.config.company_host, ports.company, frequency=COMPANY_TONE
    )
    trunk = await SipAgent.open(asterisk.config.trunk_host, ports.caller, frequency=CALLER_TONE)
    try:
        postgres.start()
        await demo.prepare(postgres.dsn(), instance.site_url, datetime.now(UTC))
        token = await _new_token(router.settings)
        asterisk.start()
        system = System(
            instance=instance,
            postgres=postgres,
            asterisk=asterisk,
            router=router,
            company=company,
            trunk=trunk,
            token=token,
        )
        if with_router:
            router.start()
            await router.ready()
        await system.pbx.wait_reachable("company")
        yield system
    finally:
        if router.running:
            router.thaw()
        router.stop()
        asterisk.stop()
        postgres.thaw()
        postgres.stop()
        await company.close()
        await trunk.close()


def _asterisk_config(instance: Instance) -> Any:
    from router.firstrun.asterisk import AsteriskConfig

    return AsteriskConfig.for_port(
        instance.ports.base,
        system_name=f"test{instance.ports.base}",
        events_secret=instance.secrets["AMI_EVENTS_SECRET"],
        records_secret=instance.secrets["AMI_RECORDS_SECRET"],
    )


async def _new_token(settings: Mapping[str, str]) -> str:
    done = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "router",
        "token",
        "create",
        "tests",
        cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin", **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await done.communicate()
    words = output.decode().split()
    found = [word for word in words if word.startswith("ct_live_")]
    assert len(found) == 1, output.decode()
    return found[0]
