"""SIP messages: the text on the wire and its parts. Knows enough for an honest telephone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "c": "content-type"}
REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    302: "Moved Temporarily",
    486: "Busy Here",
    487: "Request Terminated",
}


@dataclass
class Message:
    """A request (`method`, `uri`) or a response (`status`), with its headers in order."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> Message:
        head, _, body = data.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers = [(n.strip(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        return cls(start, headers, body)

    def encode(self) -> bytes:
        body = self.body.encode("utf-8", "surrogateescape")
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body

    @property
    def status(self) -> int:
        """Status of a response; 0 for a request."""
        return int(self.start.split(" ", 2)[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Method of a request, or the method that a response answers."""
        return self.get("cseq").split()[-1] if self.status else self.start.split(" ", 1)[0]

    @property
    def uri(self) -> str:
        return self.start.split(" ", 2)[1]

    def all(self, name: str) -> list[str]:
        wanted = name.lower()
        return [v for n, v in self.headers if _SHORT.get(n.lower(), n.lower()) == wanted]

    def get(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def names(self) -> list[str]:
        return [name for name, _ in self.headers]

    def answer(self, status: int, tag: str, *, contact: str = "", body: str = "") -> Message:
        """The response to this request with Via, From, To, Call-ID and CSeq as they must be."""
        headers = [("Via", via) for via in self.all("via")]
        to = self.get("to")
        if ";tag=" not in to and status > 100:
            to += f";tag={tag}"
        headers += [("From", self.get("from")), ("To", to), ("Call-ID", self.get("call-id"))]
        headers += [("CSeq", self.get("cseq"))]
        if contact:
            headers += [("Contact", contact)]
        if body:
            headers += [("Content-Type", "application/sdp")]
        return Message(f"SIP/2.0 {status} {REASONS.get(status, 'Because')}", headers, body)


def address(header: str) -> str:
    """The URI inside a From, To or Contact value."""
    found = re.search(r"<([^>]*)>", header)
    return found[1] if found else header.split(";")[0].strip()


def display_name(header: str) -> str:
    """The name before the URI, its quotes and escapes taken off."""
    before = header.split("<")[0].strip()
    if before.startswith('"') and before.endswith('"'):
        before = re.sub(r"\\(.)", r"\1", before[1:-1])
    return before


def offer(host: str, port: int) -> str:
    """A session description with alaw and nothing else."""
    return (
        f"v=0\r\no=- {port} 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )


def media_address(body: str) -> tuple[str, int] | None:
    """Where the other side wants its sound, or None if the body describes none."""
    host = re.search(r"^c=IN IP4 (\S+)", body, re.MULTILINE)
    port = re.search(r"^m=audio (\d+)", body, re.MULTILINE)
    return (host[1], int(port[1])) if host and port else None
