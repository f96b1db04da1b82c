"""As much of SIP as the demo company's telephone needs: reading a request, writing an answer."""

import re
from dataclasses import dataclass

_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}
_COPIED = ("via", "record-route", "from", "to", "call-id", "cseq")
_REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    501: "Not Implemented",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A SIP request; header names in lower case, each with its values in order."""

    method: str
    headers: dict[str, tuple[str, ...]]
    body: str

    def one(self, name: str) -> str:
        """The first value of a header, empty if there is none."""
        return next(iter(self.headers.get(name, ())), "")

    @property
    def branch(self) -> str:
        """What tells one transaction from another, and a repeated request from a new one."""
        match = re.search(r";\s*branch=([^;,\s]+)", self.one("via"))
        return match[1] if match else ""

    @property
    def display_name(self) -> str:
        """What a telephone shows of the caller besides the number."""
        name = self.one("from").split("<")[0].strip()
        if len(name) >= 2 and name[0] == name[-1] == '"':
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        return name

    @property
    def caller(self) -> str:
        """The number in From, empty if it names none."""
        match = re.search(r"sips?:([^@;>]+)@", self.one("from"))
        return match[1] if match else ""


def read(datagram: bytes) -> Request | None:
    """The request in a datagram; None for an answer or for something else."""
    head, _, body = datagram.decode(errors="replace").partition("\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    first = lines[0].split()
    if len(first) != 3 or first[2] != "SIP/2.0":
        return None
    headers: dict[str, tuple[str, ...]] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            key = _COMPACT.get(key, key)
            headers[key] = (*headers.get(key, ()), value.strip())
    return Request(method=first[0], headers=headers, body=body)


def answer(
    request: Request, status: int, *, tag: str = "", contact: str = "", sdp: str = ""
) -> bytes:
    """An answer to a request; `tag` is this side's, added to To where it has none."""
    lines = [f"SIP/2.0 {status} {_REASONS[status]}"]
    for name in _COPIED:
        for value in request.headers.get(name, ()):
            mine = name == "to" and tag and ";tag=" not in value
            lines.append(f"{name.title()}: {value}{f';tag={tag}' if mine else ''}")
    if contact:
        lines.append(f"Contact: <{contact}>")
    lines.append("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS")
    if sdp:
        lines.append("Content-Type: application/sdp")
    lines += [f"Content-Length: {len(sdp.encode())}", "", sdp]
    return "\r\n".join(lines).encode()


def audio_address(sdp: str) -> tuple[str, int] | None:
    """Where the other side wants its audio: address and port; None if it says nowhere."""
    address = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
    port = re.search(r"^m=audio (\d+) ", sdp, re.MULTILINE)
    return (address[1], int(port[1])) if address and port and int(port[1]) else None


def offer(host: str, port: int, session: int) -> str:
    """A session description: A-law both ways at host:port."""
    return "\r\n".join(
        [
            "v=0",
            f"o=company {session} {session} IN IP4 {host}",
            "s=company",
            f"c=IN IP4 {host}",
            "t=0 0",
            f"m=audio {port} RTP/AVP 8",
            "a=rtpmap:8 PCMA/8000",
            "a=ptime:20",
            "a=sendrecv",
            "",
        ]
    )
