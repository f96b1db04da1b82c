"""A manager interface that behaves, or misbehaves, as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

Answer = Callable[[Mapping[str, str]], str]


def message(**fields: str) -> str:
    """One message, as Asterisk writes it."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"


class FakeAmi:
    """`actions` are all that was asked; the switches say what goes wrong."""

    def __init__(self) -> None:
        self.actions: list[dict[str, str]] = []
        self.logins = 0
        self.accepts_login = True
        self.silent = False  # reads, and says nothing any more: a half-open link
        self.ignores: set[str] = set()
        self.answers: dict[str, Answer] = {}
        self.port = 0
        self.timestamp = "1795448405.500000"
        self._writers: list[asyncio.StreamWriter] = []

    def asked(self, name: str) -> list[dict[str, str]]:
        return [action for action in self.actions if action["action"] == name]

    async def say(self, data: str | bytes) -> None:
        """To everyone who is connected."""
        for writer in self._writers:
            writer.write(data.encode() if isinstance(data, str) else data)
            await writer.drain()

    def kick(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                pairs = (line.partition(": ") for line in text.split("\r\n") if line)
                action = {name.lower(): value for name, _, value in pairs}
                self.actions.append(action)
                if not self.silent and action["action"] not in self.ignores:
                    writer.write(self._answer(action).encode())
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it went away; what it asked is on record
        finally:
            writer.close()
            self._writers.remove(writer)

    def _answer(self, action: Mapping[str, str]) -> str:
        name, number = action["action"], {"ActionID": action["actionid"]}
        if name == "Login":
            self.logins += 1
            if not self.accepts_login:
                return message(Response="Error", **number, Message="Authentication failed")
            return message(Response="Success", **number, Message="Authentication accepted")
        if name in self.answers:
            return self.answers[name](action)
        if name == "Ping":
            return message(Response="Success", **number, Ping="Pong", Timestamp=self.timestamp)
        if name == "CoreShowChannels":
            return listed(action, "CoreShowChannels", [])
        return message(Response="Success", **number)


def listed(action: Mapping[str, str], name: str, entries: list[dict[str, str]]) -> str:
    """An answer that is a list of events."""
    number = {"ActionID": action["actionid"]}
    parts = [message(Response="Success", **number, EventList="start", Message="will follow")]
    parts += [message(**{"Event": entry.pop("event"), **number, **entry}) for entry in entries]
    parts.append(message(Event=f"{name}Complete", **number, EventList="Complete"))
    return "".join(parts)


@asynccontextmanager
async def fake_ami(port: int = 0) -> AsyncIterator[FakeAmi]:
    fake = FakeAmi()
    server = await asyncio.start_server(fake.serve, "127.0.0.1", port)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        fake.kick()
        while fake._writers:
            await asyncio.sleep(0.01)
