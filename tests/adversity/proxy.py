"""A TCP proxy that can cut its connections, or go silent while they stay open."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

END = b"\r\n\r\n"


class Proxy:
    """Forwards one port to another. `silent` keeps sockets open and passes nothing on; `disorder`
    passes what comes back on in packets that are gathered, doubled and shuffled."""

    def __init__(self, remote: tuple[str, int]) -> None:
        self.remote = remote
        self.port = 0
        self.connections = 0
        self.silent = False
        self.disorder = False
        self.disordered = 0
        self._chance = random.Random(7)
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.remote)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._back(far_reader, writer))
        self._writers -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if not self.silent:
                    writer.write(data)
                    await writer.drain()
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """From Asterisk: as it comes, or its call events in disorder."""
        waiting = b""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.disorder:
                    await asyncio.sleep(0.25)
                    with contextlib.suppress(TimeoutError):
                        data += await asyncio.wait_for(reader.read(1 << 20), 0.01)
                *packets, waiting = (waiting + data).split(END)
                if self.disorder:
                    packets = self._in_disorder(packets)
                if not self.silent:
                    writer.write(b"".join(packet + END for packet in packets))
                    await writer.drain()
        writer.close()

    def _in_disorder(self, packets: list[bytes]) -> list[bytes]:
        events = [packet for packet in packets if packet.startswith(b"Event: CEL")]
        others = [packet for packet in packets if not packet.startswith(b"Event: CEL")]
        self.disordered += len(events)
        events *= 2
        self._chance.shuffle(events)
        return others + events

    def cut(self) -> None:
        """End every connection at once, without a word."""
        for writer in list(self._writers):
            writer.transport.abort()


@contextlib.asynccontextmanager
async def proxy(remote: tuple[str, int]) -> AsyncIterator[Proxy]:
    """A listening proxy for the length of a test."""
    made = Proxy(remote)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
        await server.wait_closed()
