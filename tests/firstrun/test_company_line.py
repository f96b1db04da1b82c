"""The demo company's telephone, spoken to over real sockets."""

import socket
import struct
import threading
from collections.abc import Iterator
from queue import Queue

import pytest

from router.firstrun.company_line import CompanyLine, Ring
from router.firstrun.sip_message import audio_address, read
from tests.conftest import free_port

HOST = "127.0.0.1"


class Peer:
    """The other side of one call: a SIP socket and an audio socket."""

    def __init__(self, port: int) -> None:
        self._to = (HOST, port)
        self.sip = self._socket()
        self.audio = self._socket()

    @staticmethod
    def _socket() -> socket.socket:
        made = socket.socket(type=socket.SOCK_DGRAM)
        made.bind((HOST, 0))
        made.settimeout(5)
        return made

    def send(self, method: str, branch: str, *headers: str, body: str = "") -> None:
        lines = [
            f"{method} sip:company@{HOST} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.sip.getsockname()[1]};branch=z9hG4bK{branch}",
            'From: "google / cpc" <sip:+79161234567@127.0.0.1>;tag=one',
            f"To: <sip:company@{HOST}>",
            "Call-ID: a-call",
            f"CSeq: 1 {'INVITE' if method in ('ACK', 'CANCEL') else method}",
            *headers,
            f"Content-Length: {len(body)}",
        ]
        self.sip.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self._to)

    def invite(self) -> None:
        port = self.audio.getsockname()[1]
        body = f"v=0\r\nc=IN IP4 {HOST}\r\nm=audio {port} RTP/AVP 8\r\n"
        self.send("INVITE", "inv", "X-CT-Campaign: spring%20sale", body=body)

    def answer(self) -> str:
        return self.sip.recv(4096).decode()

    def close(self) -> None:
        self.sip.close()
        self.audio.close()


@pytest.fixture
def rings() -> Queue[Ring]:
    return Queue()


@pytest.fixture
def peer(rings: Queue[Ring]) -> Iterator[Peer]:
    port = free_port(socket.SOCK_DGRAM)
    line = CompanyLine(HOST, port, rings.put)
    line.start()
    made = Peer(port)
    yield made
    made.close()
    line.stop()
    assert not line.alive
    assert "company line" not in {thread.name for thread in threading.enumerate()}


def test_rings_answers_plays_and_is_hung_up(peer: Peer, rings: Queue[Ring]) -> None:
    peer.invite()
    assert peer.answer().startswith("SIP/2.0 180 Ringing\r\n")
    ring = rings.get(timeout=5)
    assert (ring.caller, ring.name) == ("+79161234567", "google / cpc")
    assert ring.tags == {"x-ct-campaign": "spring sale"}
    answered = peer.answer()
    assert answered.startswith("SIP/2.0 200 OK\r\n")
    assert audio_address(answered) is not None
    assert peer.answer() == answered, "repeated until it is acknowledged"
    peer.send("ACK", "ack")
    packets = [peer.audio.recv(2000) for _ in range(5)]
    sequence = [struct.unpack("!H", packet[2:4])[0] for packet in packets]
    assert [(number - sequence[0]) % 65536 for number in sequence] == [0, 1, 2, 3, 4]
    assert {(len(packet), packet[1]) for packet in packets} == {(172, 8)}
    peer.send("BYE", "bye")
    assert peer.answer().startswith("SIP/2.0 200 OK\r\n")
    peer.send("BYE", "bye2")
    assert peer.answer().startswith("SIP/2.0 481 ")


def test_repeated_invite_is_the_same_call(peer: Peer, rings: Queue[Ring]) -> None:
    peer.invite()
    first = peer.answer()
    peer.invite()
    assert peer.answer() == first
    assert rings.qsize() == 1


def test_caller_gives_up(peer: Peer) -> None:
    peer.invite()
    assert peer.answer().startswith("SIP/2.0 180 ")
    peer.send("CANCEL", "inv")
    assert sorted(peer.answer()[:11] for _ in range(2)) == ["SIP/2.0 200", "SIP/2.0 487"]


def test_rubbish_harms_nobody(peer: Peer) -> None:
    peer.sip.sendto(b"\xff\x00 nonsense\r\n\r\n", peer._to)
    peer.sip.sendto(b"", peer._to)
    peer.send("OPTIONS", "opt")
    assert peer.answer().startswith("SIP/2.0 200 OK\r\n")
    peer.send("PUBLISH", "pub")
    assert peer.answer().startswith("SIP/2.0 501 ")


def test_compact_and_folded_headers() -> None:
    request = read(b"BYE sip:a SIP/2.0\r\ni: x\r\nf: <sip:1@h>\r\nSubject: a\r\n b\r\n\r\n")
    assert request is not None
    assert (request.one("call-id"), request.caller) == ("x", "1")
    assert request.one("subject") == "a b"
    assert read(b"SIP/2.0 200 OK\r\n\r\n") is None
