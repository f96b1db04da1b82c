"""One side of a call's sound: sends a tone, keeps what arrives."""

from __future__ import annotations

import asyncio
import random
import struct

from tests.e2e import tones

PACKET = 160  # 20 ms of alaw
PERIOD = PACKET / tones.RATE


class RtpStream(asyncio.DatagramProtocol):
    """A UDP socket on `host`; sequence number, timestamp and SSRC start at random, as the
    standard asks and as real telephones do."""

    def __init__(self) -> None:
        self.port = 0
        self.heard: dict[int, bytes] = {}
        self.packets = 0
        self._sequence = random.randrange(1 << 16)
        self._timestamp = random.randrange(1 << 32)
        self._ssrc = random.randrange(1 << 32)
        self._first: int | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._sender: asyncio.Task[None] | None = None
        # blocks of 100 ms in which this machine was too busy for us to send in time: whoever mixes in real
        # time (a recording) has silence there, and no fault of his
        self.late_blocks: set[int] = set()

    @classmethod
    async def open(cls, host: str) -> RtpStream:
        loop = asyncio.get_running_loop()
        transport, stream = await loop.create_datagram_endpoint(cls, local_addr=(host, 0))
        stream._transport = transport
        stream.port = transport.get_extra_info("sockname")[1]
        return stream

    def start(self, remote: tuple[str, int], frequency: int) -> None:
        """Send the tone to `remote` until closed."""
        if self._sender is None:
            self._sender = asyncio.create_task(self._send(remote, tones.tone(frequency)))

    async def _send(self, remote: tuple[str, int], sound: bytes) -> None:
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        begin, sent = loop.time(), 0
        while True:
            at = sent * PACKET % len(sound)
            header = struct.pack(
                "!BBHII",
                0x80,
                8 | (0x80 if sent == 0 else 0),
                (self._sequence + sent) & 0xFFFF,
                (self._timestamp + sent * PACKET) & 0xFFFFFFFF,
                self._ssrc,
            )
            if loop.time() - begin - sent * PERIOD > PERIOD / 2:
                self.late_blocks.add(sent * PACKET // tones.BLOCK)
            self._transport.sendto(header + sound[at : at + PACKET], remote)
            sent += 1
            await asyncio.sleep(begin + sent * PERIOD - loop.time())

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) < 12 or data[1] & 0x7F != 8:
            return
        self.packets += 1
        (timestamp,) = struct.unpack("!I", data[4:8])
        if self._first is None:
            self._first = timestamp
        self.heard[(timestamp - self._first) & 0xFFFFFFFF] = data[12:]

    def samples(self) -> list[int]:
        """What was heard, laid out by timestamp; what never came is silence."""
        if not self.heard:
            return []
        # half of the circle back are packets from before the first one that came
        places = {at: sound for at, sound in self.heard.items() if at < 1 << 31}
        last = max(places)
        whole = bytearray([tones.SILENCE]) * min(last + len(places[last]), 600 * tones.RATE)
        for at, sound in places.items():
            whole[at : at + len(sound)] = sound
        return tones.decode(bytes(whole))

    def close(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
        if self._transport is not None:
            self._transport.close()
