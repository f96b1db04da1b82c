"""One AMI login, kept up against everything that ends or freezes it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import structlog
from prometheus_client import CollectorRegistry

from router.services.metrics import CallMetrics
from router.telephony.manager import AmiLogin, AmiRefused, AmiUnavailable, Message, _pause
from tests.conftest import free_port
from tests.telephony.fake_ami import FakeAmi, fake_ami, listed, message


def clock() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def login(
    fake: FakeAmi,
    *,
    heard: Callable[[Message], None] | None = None,
    enough: Callable[[], bool] | None = None,
    after_login: Callable[[], Awaitable[None]] | None = None,
    noted_time: Callable[[datetime, datetime, datetime], None] | None = None,
    ready: bool = True,
) -> AsyncIterator[AmiLogin]:
    link = AmiLogin(
        address=("127.0.0.1", fake.port),
        user="ct-events",
        secret="secret",
        metrics=CallMetrics(CollectorRegistry()),
        clock=clock,
        heard=heard,
        enough=enough,
        after_login=after_login,
        noted_time=noted_time,
        ping_seconds=0.1,
        refused_seconds=0.3,
    )
    running = asyncio.create_task(link.run())
    try:
        if ready:
            await asyncio.wait_for(link.ready.wait(), 3)
        yield link
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until(true: Callable[[], bool], seconds: float = 4) -> None:
    """Wait for something that happens elsewhere; fails when it does not."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.01)


async def test_actions_and_lists() -> None:
    """An answer is a list of messages: the response, and the events that belong to it."""
    async with fake_ami() as fake, login(fake) as link:
        fake.answers["DBGetTree"] = lambda action: listed(
            action, "DBGetTree", [{"event": "DBGetTreeResponse", "Key": "/f/1", "Val": "é"}]
        )
        answer = await link.action("DBPut", Family="f", Key="k", Val='{"t":"PJSIP/a"}')
        tree = await link.action("DBGetTree", Family="f")

        assert answer[0].get("response") == "Success"
        assert fake.asked("DBPut")[0]["val"] == '{"t":"PJSIP/a"}'
        assert [m.get("val") for m in tree if m.get("event") == "DBGetTreeResponse"] == ["é"]


async def test_a_refused_action() -> None:
    """Asterisk's own words."""
    async with fake_ami() as fake, login(fake) as link:
        fake.answers["DBPut"] = lambda action: message(
            Response="Error", ActionID=action["actionid"], Message="Permission denied"
        )
        with pytest.raises(AmiRefused, match="Permission denied"):
            await link.action("DBPut", Family="f", Key="k", Val="v")


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\0b", "x" * 1001, "я" * 501])
async def test_values_that_are_never_sent(value: str) -> None:
    """A line break in a value would be an action of its own."""
    async with fake_ami() as fake, login(fake) as link:
        with pytest.raises(ValueError, match="control character"):
            await link.action("DBPut", Family="f", Key="k", Val=value)

        assert fake.asked("DBPut") == []


async def test_events_in_their_order() -> None:
    """However the segments fall."""
    heard: list[str] = []
    async with fake_ami() as fake, login(fake, heard=lambda m: heard.append(m.get("n", ""))):
        text = "".join(message(Event="CEL", N=str(n)) for n in range(500))
        for start in range(0, len(text), 777):
            await fake.say(text[start : start + 777])
        await until(lambda: len(heard) == 500)

    assert heard == [str(n) for n in range(500)]


async def test_events_that_somebody_else_reads() -> None:
    """Are not read here as long as it is enough to know that there are any."""
    heard: list[str] = []
    told = 0
    enough = True

    def asked() -> bool:
        nonlocal told
        told += 1
        return enough

    async with (
        fake_ami() as fake,
        login(fake, heard=lambda m: heard.append(m.get("n", "")), enough=asked) as link,
    ):
        await fake.say(message(Event="CEL", N="1") + message(Event="CEL", N="2"))
        await until(lambda: told > 0)
        enough = False
        await fake.say(message(Event="CEL", N="3"))
        await until(lambda: bool(heard))
        answer = await link.action("DBPut", Family="f", Key="k", Val="v")

    assert heard == ["3"]
    assert answer[0].get("response") == "Success"


async def test_characters_split_over_segments() -> None:
    """No byte of a name is lost."""
    heard: list[str] = []
    data = message(Event="CEL", Name="Google Ads · весна 🎉").encode()
    async with fake_ami() as fake, login(fake, heard=lambda m: heard.append(m.get("name", ""))):
        for byte in data:
            await fake.say(bytes([byte]))
            await asyncio.sleep(0)
        await until(lambda: bool(heard))

    assert heard == ["Google Ads · весна 🎉"]


async def test_bytes_that_are_no_characters() -> None:
    """Replaced; the events behind them are heard."""
    heard: list[str] = []
    async with fake_ami() as fake, login(fake, heard=lambda m: heard.append(m.get("name", ""))):
        await fake.say(b"Event: CEL\r\nName: a\xff\xd0b\r\n\r\nEvent: CEL\r\nName: next\r\n\r\n")
        await until(lambda: len(heard) == 2)

    assert heard == ["a\ufffd\ufffdb", "next"]


async def test_a_refused_login_is_loud() -> None:
    """An error in the log, a state to show; tried again, but not all the time."""
    async with fake_ami() as fake:
        fake.accepts_login = False
        with structlog.testing.capture_logs() as logs:
            async with login(fake, ready=False) as link:
                await until(lambda: link.state == "refused")
                await asyncio.sleep(0.1)
                tries = fake.logins
                fake.accepts_login = True
                await asyncio.wait_for(link.ready.wait(), 3)

    loud = [log for log in logs if log["log_level"] == "error"]
    assert tries == 1
    assert loud[0]["reason"] == "Authentication failed"
    assert "secret" not in str(logs)


async def test_kicked() -> None:
    """Connected again within moments, and told so."""
    logins: list[float] = []
    async with fake_ami() as fake, login(fake) as link:
        link.when_ready(lambda: logins.append(time.monotonic()))
        for _ in range(3):
            fake.kick()
            await until(lambda: not link.ready.is_set())
            await asyncio.wait_for(link.ready.wait(), 3)

    assert len(logins) == 3


async def test_a_half_open_link() -> None:
    """Nothing is heard any more, no error either: two missed pings, and a new connection."""
    async with fake_ami() as fake, login(fake) as link:
        fake.silent = True
        began = time.monotonic()
        await until(lambda: not link.ready.is_set())

        assert time.monotonic() - began < 1
        fake.silent = False
        await asyncio.wait_for(link.ready.wait(), 4)
        assert link._protocol is not None
        assert len(link._protocol.responses) <= 1


async def test_one_late_ping_is_forgiven() -> None:
    """A pause shorter than two pings does not cost the connection."""
    async with fake_ami() as fake, login(fake) as link:
        fake.ignores.add("Ping")
        count = len(fake.asked("Ping"))
        await until(lambda: len(fake.asked("Ping")) > count)
        fake.ignores.clear()
        await asyncio.sleep(0.5)

        assert fake.logins == 1
        assert link.state == "ready"


async def test_pending_actions_fail_and_are_not_sent_again() -> None:
    """Nobody knows whether Asterisk did it; to do it twice would be worse."""
    async with fake_ami() as fake, login(fake) as link:
        fake.ignores.add("DBPut")
        waiting = asyncio.create_task(link.action("DBPut", Family="f", Key="k", Val="v"))
        await until(lambda: bool(fake.asked("DBPut")))
        fake.kick()
        with pytest.raises(AmiUnavailable, match="connection ended"):
            await waiting
        await until(lambda: fake.logins == 2)
        await asyncio.sleep(0.2)

        assert len(fake.asked("DBPut")) == 1


async def test_an_action_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves nothing behind that would grow."""
    monkeypatch.setattr("router.telephony.manager.ACTION_SECONDS", 0.2)
    async with fake_ami() as fake, login(fake) as link:
        fake.ignores.add("DBPut")
        protocol = link._protocol
        assert protocol is not None
        with pytest.raises(AmiUnavailable, match=r"DBPut: no answer within"):
            await link._send({"Action": "DBPut", "Val": "v"}, seconds=0.1)

        assert not [a for a in protocol.responses.values() if a["action"] == "DBPut"]


async def test_not_connected() -> None:
    """Refused at once instead of waiting for better times."""
    async with fake_ami() as fake:
        fake.port = free_port()
        async with login(fake, ready=False) as link:
            with pytest.raises(AmiUnavailable, match="not logged in"):
                await link.action("Ping")


async def test_asterisk_comes_up_later() -> None:
    """Nobody listens yet; one line in the log, and connected soon after somebody does."""
    port = free_port()
    nobody = FakeAmi()
    nobody.port = port
    with structlog.testing.capture_logs() as logs:
        async with login(nobody, ready=False) as link:
            await asyncio.sleep(0.5)
            async with fake_ami(port):
                await asyncio.wait_for(link.ready.wait(), 6)

                assert [log["event"] for log in logs] == ["AMI link down", "AMI link up"]


async def test_time_is_compared_at_each_ping() -> None:
    """What Asterisk's clock says, between two moments of ours."""
    noted: list[tuple[datetime, datetime, datetime]] = []
    async with fake_ami() as fake, login(fake, noted_time=lambda *times: noted.append(times)):
        await until(lambda: bool(noted))

    said, asked_at, answered_at = noted[0]
    assert said == datetime(2026, 11, 23, 15, 40, 5, 500000, UTC)
    assert asked_at <= answered_at


async def test_work_after_each_login() -> None:
    """Runs after each login and is cancelled with the connection; its failure is logged, no more."""
    runs: list[str] = []

    async def work() -> None:
        runs.append("begun")
        if len(runs) == 1:
            raise ZeroDivisionError
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            runs.append("cancelled")
            raise

    with structlog.testing.capture_logs() as logs:
        async with fake_ami() as fake, login(fake, after_login=work):
            await until(lambda: any("work" in log["event"] for log in logs))
            fake.kick()
            await until(lambda: len(runs) == 2)
            fake.kick()
            await until(lambda: "cancelled" in runs)

    assert runs[:3] == ["begun", "begun", "cancelled"]


def test_pauses_grow_to_five_seconds_and_differ() -> None:
    """So that many routers do not come back at the same moment."""
    assert all(0.1 <= _pause(0) <= 0.2 for _ in range(50))
    assert all(2.5 <= _pause(50) <= 5 for _ in range(50))
    assert len({_pause(3) for _ in range(10)}) > 1
