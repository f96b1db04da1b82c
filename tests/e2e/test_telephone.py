"""The test telephone's own ear: a test that cannot hear a fault proves nothing."""

from __future__ import annotations

import struct

from tests.e2e import tones
from tests.e2e.message import Message, display_name
from tests.e2e.rtp import PACKET, RtpStream


def test_alaw_there_and_back_keeps_a_sample_within_its_step() -> None:
    for sample in (-30000, -1000, -9, 8, 24, 500, 31000):
        (back,) = tones.decode(tones.encode([sample]))
        assert abs(back - sample) <= max(abs(sample) / 16, 8)
    assert tones.decode(bytes([tones.SILENCE])) == [8]


def test_a_tone_is_heard_and_only_that() -> None:
    samples = tones.decode(tones.tone(700))
    assert tones.share_with(samples, 700) == 1.0
    assert tones.share_with(samples, 720) == 0.0
    assert abs(tones.level(samples, 700) - tones.AMPLITUDE) < tones.AMPLITUDE / 50


def test_a_gap_is_noticed() -> None:
    samples = tones.decode(tones.tone(700, 2))
    samples[4000:8000] = [0] * 4000
    assert tones.share_with(samples, 700) == 0.75


def _stream(at: list[int], start: int) -> RtpStream:
    stream, sound = RtpStream(), tones.tone(700)
    for n in at:
        timestamp = (start + n * PACKET) & 0xFFFFFFFF
        header = struct.pack("!BBHII", 0x80, 8, n & 0xFFFF, timestamp, 1)
        place = n * PACKET % len(sound)
        stream.datagram_received(header + sound[place : place + PACKET], ("127.0.0.1", 1))
    return stream


def test_lost_packets_are_silence_also_where_the_timestamp_wraps() -> None:
    whole = _stream(list(range(100)), (1 << 32) - 3000)
    assert tones.share_with(whole.samples(), 700) == 1.0
    holed = _stream([n for n in range(100) if not 40 <= n < 65], (1 << 32) - 3000)
    assert len(holed.samples()) == len(whole.samples())
    assert tones.share_with(holed.samples(), 700) == 0.75


def test_a_message_is_read_with_short_names_and_quoted_display_names() -> None:
    message = Message.parse(
        'INVITE sip:x@y SIP/2.0\r\nf: "a \\"b\\" ж" <sip:1@2>;tag=3\r\ni: id\r\n\r\n'.encode()
    )
    assert (message.method, message.uri, message.get("Call-ID")) == ("INVITE", "sip:x@y", "id")
    assert display_name(message.get("From")) == 'a "b" ж'
