"""What the load is made of: the same site, numbers, sessions and requests wherever they are needed."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from uuid import UUID

from router.domain.reservation_tokens import TokenKey, TokenKeys

SITE = "bench-site-0001"
ORIGIN = "https://bench.example"
TRUNK = "trunk1"
# Numbers that calls ask for, and numbers that sessions hold, in the databases of the servers.
NUMBERS = 10_000
HELD = 2_000
# Sessions shown the first number in the last 30 days.
CANDIDATES = 1_300
FIRST = 74_951_000_000
_SOURCES = ("google", "yandex", "bing", "vk", "telegram")
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


def e164(number: int) -> str:
    """The n-th number, from 1."""
    return f"+{FIRST + number}"


def session_key(number: int) -> UUID:
    """Key of the session that holds the n-th number."""
    return UUID(int=(0x5E55 << 112) + number)


# The sessions that hold a number were told of it by nobody: their tokens are made here, good for long.
TOKEN_KEY = TokenKey(secret=b"bench" * 6 + b"12", made_at=datetime(2020, 1, 1, tzinfo=UTC))
_LONG = datetime(2100, 1, 1, tzinfo=UTC)


def token(session: UUID) -> str | None:
    """What the page brings along that was told this session."""
    return TokenKeys([TOKEN_KEY]).sign(SITE, session, _LONG)


def page(visit: int) -> str:
    """A landing page as advertisements make them."""
    source = _SOURCES[visit % len(_SOURCES)]
    return (
        f"{ORIGIN}/flats/{visit % 50}?utm_source={source}&utm_medium=cpc"
        f"&utm_campaign=spring-{visit % 20}&utm_term=flat&gclid=CjwKC{visit:012d}"
    )


_ENVIRONMENT = (
    "".join(
        f"agi_{name}: {value}\n"
        for name, value in (
            ("network", "yes"),
            ("network_script", "route"),
            ("request", f"agi://127.0.0.1/route,%(did)d,+%(did)d,{TRUNK}"),
            ("channel", f"PJSIP/{TRUNK}-%(id)08x"),
            ("language", "en"),
            ("type", "PJSIP"),
            ("uniqueid", "%(epoch)d.%(id)d"),
            ("version", "22.10.1"),
            ("callerid", "+7916%(caller)07d"),
            ("calleridname", "unknown"),
            ("callingpres", "0"),
            ("callingani2", "0"),
            ("callington", "0"),
            ("callingtns", "0"),
            ("dnid", "%(did)d"),
            ("rdnis", "unknown"),
            ("context", "ct-ask"),
            ("extension", "s"),
            ("priority", "6"),
            ("enhanced", "0.0"),
            ("accountcode", ""),
            ("threadid", "140081"),
            ("arg_1", "%(did)d"),
            ("arg_2", "+%(did)d"),
            ("arg_3", TRUNK),
        )
    )
    + "\n"
)


def agi_environments() -> Iterator[bytes]:
    """What Asterisk sends when a call asks for its route, for ever new calls to any of our numbers."""
    chance = random.Random()
    template = _ENVIRONMENT.encode()
    # No two generators of a run may speak of the same call.
    epoch = chance.getrandbits(40)
    for number in itertools.count(1):
        drawn = chance.random()
        yield template % {
            b"did": FIRST + 1 + int(drawn * NUMBERS),
            b"id": number,
            b"epoch": epoch,
            b"caller": int(drawn * 9_000_000) + number % 900_000,
        }


def visits(seed: int) -> Iterator[bytes]:
    """First page views of new visitors."""
    visit = seed << 16
    while True:
        visit += 1
        body = {
            "site": SITE,
            "url": page(visit),
            "referrer": "https://www.google.com/",
            "visitor": None,
            "session": None,
        }
        yield _post("/v1/visits", body, visit)


def heartbeats(seed: int) -> Iterator[bytes]:
    """Heartbeats of the sessions that hold a number, each number being the one on its page."""
    chance = random.Random(seed)
    # made once: what is measured is who reads them
    tokens = {number: token(session_key(number)) for number in range(2, HELD + 2)}
    while True:
        number = chance.randint(2, HELD + 1)
        body = {
            "site": SITE,
            "session": str(session_key(number)),
            "token": tokens[number],
            "visible": True,
            "input": True,
            "number": e164(number),
        }
        yield _post("/v1/heartbeats", body, number)


def updates(seed: int) -> Iterator[bytes]:
    """A visit's body for the server that makes one UPDATE by key."""
    chance = random.Random(seed)
    while True:
        number = chance.randint(1, NUMBERS)
        body = {
            "site": SITE,
            "url": page(chance.getrandbits(20)),
            "referrer": "https://www.google.com/",
            "visitor": None,
            "session": None,
            "number": number,
        }
        yield _post("/update", body, number)


REQUESTS: dict[str, Callable[[int], Iterator[bytes]]] = {
    "visits": visits,
    "heartbeats": heartbeats,
    "update": updates,
}


def _post(path: str, body: Mapping[str, object], client: int) -> bytes:
    content = json.dumps(body, separators=(",", ":")).encode()
    # Visitors come from everywhere, as a proxy tells it: neighbours are in different networks.
    address = f"10.{client & 255}.{client >> 8 & 255}.{client >> 16 & 255}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: calls.example\r\nOrigin: {ORIGIN}\r\n"
        f"User-Agent: {AGENT}\r\nContent-Type: application/json\r\nAccept: */*\r\n"
        f"Accept-Encoding: gzip, deflate, br\r\nX-Forwarded-For: {address}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
