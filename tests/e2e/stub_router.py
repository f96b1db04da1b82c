"""A FastAGI server in the test's own loop that behaves, or misbehaves, as told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Literal

from tests.conftest import free_port

Mode = Literal[
    "answer", "silent", "close", "rubbish", "not json", "half", "slow", "two commands", "keep"
]
ROUTE = {"t": "PJSIP/company^20"}
TAGGED = {
    "ref": "Abc-123_x",
    "t": "PJSIP/company^20",
    "n": "Яндекс Директ · весна",
    "hs": "yandex",
    "hm": "cpc",
    "hc": "%D0%B2%D0%B5%D1%81%D0%BD%D0%B0",
    "hx": "reservation",
    "hp": "0.97",
}


def command(answer: Mapping[str, str] | str) -> bytes:
    """The one line that a router sends: JSON inside an AGI string."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'SET VARIABLE CT_R "{quoted}"\n'.encode()


class StubRouter:
    """`requests` holds the variables of each request; `answer` is a JSON object, raw text, or a
    function of the request; `mode` is what is done with it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.mode: Mode = "answer"
        self.answer: Mapping[str, str] | str | Callable[[dict[str, str]], Mapping[str, str]] = ROUTE
        self.delay = 0.0
        self.requests: list[dict[str, str]] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def refuse(self) -> None:
        """Close the port: whoever connects is refused."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self.mode != "close":
                request = await self._request(reader)
                self.requests.append(request)
                await self._reply(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # Asterisk has gone on without us, which is what most modes are about
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    @staticmethod
    async def _request(reader: asyncio.StreamReader) -> dict[str, str]:
        found: dict[str, str] = {}
        while line := (await reader.readline()).decode(errors="replace").strip():
            name, _, value = line.partition(": ")
            found[name] = value
        return found

    async def _reply(
        self, request: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        line = command(self.answer(request) if callable(self.answer) else self.answer)
        match self.mode:
            case "silent":
                await reader.read()
                return
            case "half":
                line = line[: len(line) // 2]
            case "rubbish":
                line = b"HTTP/1.1 400 Bad Request\r\n\r\n"
            case "not json":
                line = command("{this is not JSON")
            case "slow":
                await asyncio.sleep(self.delay)
            case "two commands":
                line = b'VERBOSE "first" 1\n' + line
        writer.write(line)
        await writer.drain()
        if self.mode == "keep":
            await reader.read()  # answered, and then hung with the socket open
        elif self.mode == "answer":
            await reader.readline()  # "200 result=1", so that the close does not overtake it


@contextlib.asynccontextmanager
async def stub_router(port: int | None = None) -> AsyncIterator[StubRouter]:
    """A listening stub for the length of a test."""
    stub = StubRouter(port or free_port())
    await stub.listen()
    try:
        yield stub
    finally:
        await stub.refuse()
