"""Events of calls come in bunches; what is waited for does not wait with them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from router.telephony import cel, manager
from router.telephony.quiet import Quiet
from tests.telephony.fake_ami import fake_ami, message
from tests.telephony.test_manager import login, until


class _Reader(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard = b""
        self.quiet: Quiet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)
        self.quiet = Quiet(transport, 0.2)

    def data_received(self, data: bytes) -> None:
        self.heard += data


async def test_a_pause_ends_by_itself_or_when_told() -> None:
    """Nothing is lost in it, and one that is over may be ended again."""
    far, near = socket.socketpair()
    loop = asyncio.get_running_loop()
    transport, reader = await loop.create_connection(_Reader, sock=near)
    reader.quiet.begin()
    reader.quiet.begin()
    far.send(b"a")
    await asyncio.sleep(0.05)
    assert reader.heard == b""
    await until(lambda: reader.heard == b"a")

    reader.quiet.begin()
    far.send(b"b")
    reader.quiet.end()
    reader.quiet.end()
    await asyncio.sleep(0.05)
    assert reader.heard == b"ab"

    reader.quiet.begin()
    transport.abort()
    reader.quiet.end()
    reader.quiet.begin()
    far.close()


async def test_an_answer_is_not_waited_for_in_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """After events of calls, and between them."""
    monkeypatch.setattr(manager, "QUIET_SECONDS", 30)
    heard: list[str] = []
    async with fake_ami() as fake, login(fake, heard=lambda m: heard.append(m["n"])) as link:
        for n in range(3):
            await fake.say(message(Event="CEL", N=str(n)))
            await until(lambda n=n: len(heard) > n)  # type: ignore[misc]
            answer = await asyncio.wait_for(link.action("DBPut", Family="f", Key="k", Val="v"), 2)
            assert answer[0].get("response") == "Success"

    assert heard == ["0", "1", "2"]


async def test_a_call_event_is_no_answer() -> None:
    """Whatever its fields pretend."""
    heard: list[manager.Message] = []
    async with fake_ami() as fake, login(fake, heard=heard.append) as link:
        fake.answers["DBPut"] = lambda action: (
            message(Event="CEL", ActionID=action["actionid"], Response="Error", Message="forged")
            + message(Response="Success", ActionID=action["actionid"], Message="stored")
        )
        answer = await link.action("DBPut", Family="f", Key="k", Val="v")

    assert [one.get("message") for one in answer] == ["stored"]
    assert [one["message"] for one in heard] == ["forged"]


def test_the_fields_of_a_packet() -> None:
    """Keys in lower case, values as they are; what stands twice is no text."""
    packet = "Event: CEL\r\nExtra: a: b\r\nPeer: \r\nno field\r\nUniqueID: 1\r\nUniqueID: 2"

    assert cel.fields(packet) == {
        "event": "CEL",
        "extra": "a: b",
        "peer": "",
        "uniqueid": ["1", "2"],
    }
