"""A real Asterisk for tests, and what a test wants to know about it."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import random
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from router.firstrun import prefixes, state, users
from router.firstrun.asterisk import AsteriskConfig, AsteriskServer

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = {name: os.environ[name] for name in ("CALL_ROUTER_CACHE",) if name in os.environ}
STRANGER = "127.0.0.9"
NUMBER = "+74951234567"  # one that the tests dial
# Lines and trunks beside those of asterisk-conf/: a trunk with the number in To:, a second line,
# a line that is asked whether it lives and is dead, and one that is dead and not asked.
EXTRA = """
[trunk2](trunk)
aors = trunk2
set_var = CT_TRUNK=trunk2
set_var = CT_DIDSRC=to
set_var = CT_CC=7
set_var = CT_NSN=10
[trunk2](place)
contact = sip:127.0.0.4:{trunk}
[trunk2]
type = identify
endpoint = trunk2
match = 127.0.0.4/32

[second](line)
aors = second
[second]
type = aor
contact = sip:127.0.0.5:{company}

[dead](line)
aors = dead
[dead](place)
contact = sip:127.0.0.6:{company}

[mute](line)
aors = mute
[mute]
type = aor
contact = sip:127.0.0.7:{company}
"""


def find_prefix() -> Path:
    """Root of the installation to test; fails, never skips, where there is none."""
    named = os.environ.get("CALL_ROUTER_TEST_ASTERISK", "").strip()
    if named:
        return Path(named)
    found = prefixes.find_telephony(state.state_folder(CHECKOUT), CACHE)
    if found is None:
        raise AssertionError(
            "no Asterisk to test with: `make test` fetches one, or name the root of one in "
            "CALL_ROUTER_TEST_ASTERISK"
        )
    return found.sipp.parents[2]


def free_base() -> int:
    """A PORT whose derived ports are all free, audio below the kernel's own range."""
    for _ in range(200):
        base = random.randrange(11000, 19000, 10)
        if not state.taken_ports(state.Ports(base=base)):
            return base
    raise AssertionError("no free ports on this machine")


def new_asterisk(folder: Path, **changes: str | float) -> AsteriskServer:
    """A configured server in `folder`, not started; `changes` are fields of its configuration."""
    config = AsteriskConfig.for_port(
        free_base(), system_name="test", events_secret="events", records_secret="records"
    )
    config = replace(config, breaker_seconds=2, **changes)  # type: ignore[arg-type]
    server = AsteriskServer(find_prefix(), folder / "asterisk", config, users.service_user())
    server.render()
    extra = server.conf / "pjsip.d" / "tests.conf"
    extra.write_text(EXTRA.format(trunk=config.trunk_port, company=config.company_port))
    users.give(extra, server.run_as)
    return server


@dataclass(frozen=True)
class Row:
    """One line of the CEL file; `facts` are the k=v of an event of ours."""

    at: float
    type: str
    unique: str
    linked: str
    channel: str
    reference: str
    extra: Mapping[str, object]

    @property
    def facts(self) -> dict[str, str]:
        text = str(self.extra.get("extra", ""))
        return dict(pair.split("=", 1) for pair in text.split("&") if "=" in pair)


def rows(file: Path) -> Iterator[Row]:
    """The rows of a CEL file as it is now."""
    if not file.exists():
        return
    with file.open(encoding="utf-8", newline="") as lines:
        for at, kind, _, unique, linked, channel, _, reference, extra in csv.reader(lines):
            read = json.loads(extra) if extra else {}
            yield Row(float(at), kind, unique, linked, channel, reference, read)


class Pbx:
    """The running server and the facts of the current test."""

    def __init__(self, server: AsteriskServer) -> None:
        self.server = server
        config = server.config
        self.remote = (config.sip_host, config.sip_port)

    def uri(self, user: str) -> str:
        return f"sip:{user}@{self.remote[0]}:{self.remote[1]}"

    def put(self, family: str, key: str, record: Mapping[str, str] | str) -> None:
        """Write a fail-safe record as the router would."""
        text = record if isinstance(record, str) else json.dumps(record)
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        self.server.cli(f'database put {family} {key} "{quoted}"')

    def reset(self) -> None:
        """Forget what an earlier test left: records, the breaker, call facts, recordings."""
        for family in ("ct-did", "ct-trunk"):
            self.server.cli(f"database deltree {family}")
        self.server.cli("dialplan set global CT_DOWN_UNTIL 0")
        self.server.cel_file.unlink(missing_ok=True)
        for sound in self.server.recordings.rglob("*.*"):
            sound.unlink()

    def _sees(self, line: str, state: str) -> bool:
        shown = self.server.cli("pjsip show contacts")
        return any(f" {line}/" in row and f" {state} " in row for row in shown.splitlines())

    async def wait_reachable(self, line: str) -> None:
        """Wait until Asterisk knows that `line` lives."""
        await self._wait_seen(line, "Avail")

    async def wait_unreachable(self, line: str) -> None:
        """Wait until Asterisk knows that `line` does not live."""
        await self._wait_seen(line, "Unavail")

    async def _wait_seen(self, line: str, state: str) -> None:
        end = time.monotonic() + 6
        while not await asyncio.to_thread(self._sees, line, state):
            assert time.monotonic() < end, f"Asterisk does not see {line} as {state}"
            await asyncio.to_thread(self.server.cli, f"pjsip qualify {line}")
            await asyncio.sleep(0.05 if state == "Avail" else 0.5)

    async def idle(self, timeout: float = 5) -> None:
        """Wait until no channel is left."""
        end = time.monotonic() + timeout
        while True:
            shown = await asyncio.to_thread(self.server.cli, "core show channels count")
            if "0 active channels" in shown:
                return
            if time.monotonic() > end:
                left = self.server.cli("core show channels concise")
                self.server.cli("channel request hangup all")
                raise AssertionError(f"channels are left: {left}")
            await asyncio.sleep(0.05)

    def events(self) -> list[Row]:
        return list(rows(self.server.cel_file))

    def facts(self, kind: str, linked: str | None = None) -> list[dict[str, str]]:
        """The facts of one kind, in order, of one call or of all."""
        found = [row for row in self.events() if row.type == kind]
        return [row.facts for row in found if linked in (None, row.linked)]

    async def wait_end(self, calls: int = 1, timeout: float = 5) -> list[Row]:
        """Wait until `calls` calls are wholly over; all rows."""
        end = time.monotonic() + timeout
        while True:
            found = self.events()
            if sum(row.type == "LINKEDID_END" for row in found) >= calls:
                return found
            assert time.monotonic() < end, f"not over: {[row.type for row in found]}"
            await asyncio.sleep(0.05)


@contextmanager
def taken(host: str, port: int, kind: socket.SocketKind) -> Iterator[None]:
    """Hold a port that another program wants."""
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind((host, port))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        yield
