"""What a page of a site says and asks, and what it is told: the snippet's side of a visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Consent = Literal["granted", "denied"]
HandedHow = Literal["free", "kept", "retaken", "static", "default"]
HeartbeatHow = Literal["kept", "swapped", "default", "static"]


@dataclass(frozen=True, kw_only=True)
class VisitRequest:
    """The snippet's question: which number shall this page show? Without consent (`denied`) nothing is
    remembered of the visit. `debug`: the page asks to be told why it got what it gets. `client_ids`:
    by what analytics know the visitor, beside the click ids of the URL. `address`: the visitor's IP
    address, from which his region is told; it is not kept."""

    site: str
    origin: str
    url: str
    referrer: str
    user_agent: str
    visitor: UUID | None
    session: UUID | None
    consent: Consent = "granted"
    debug: bool = False
    client_ids: Mapping[str, str] = field(default_factory=dict)
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class OtherNumber:
    """What stands in the place of one of the page's further numbers (`replace`). Each is held by a
    session of its own, with a `token` of its own."""

    session: UUID
    replace: str
    number: str
    how: HandedHow
    valid_until: datetime | None
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class VisitAnswer:
    """`number` and `replace` are E.164. `token`: what the page speaks for its session with from now on; None
    where nothing is kept of the visit. `cookie_domain`: where the visitor's cookie is valid besides the
    router's own host. `why`: which rules matched, for the main number first; empty unless asked for."""

    session: UUID
    visitor: UUID
    number: str
    how: HandedHow
    replace: tuple[str, ...]
    region: str
    valid_until: datetime | None
    heartbeat_seconds: int
    token: str | None = None
    others: tuple[OtherNumber, ...] = ()
    cookie_domain: str | None = None
    why: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OtherShown:
    """A further number of a page: its session with the token of that, and what the page shows."""

    session: UUID
    shown: str | None
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """`shown` is the number on the page (E.164), `visible` and `input` what the visitor does;
    `input_seconds`: how long ago the last input was, where the page says so. `others`: its further
    numbers."""

    site: str
    origin: str
    session: UUID
    visible: bool
    input: bool
    shown: str | None
    token: str | None = None
    input_seconds: int | None = None
    others: tuple[OtherShown, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HeartbeatAnswer:
    """`number` is given where the page has to show another one than it does, `token` where it has to speak
    with another one from now on. `others`: the same for its further numbers, in the order of the question;
    None where the session is not known."""

    how: HeartbeatHow
    number: str | None
    region: str
    valid_until: datetime | None
    token: str | None = None
    others: tuple[HeartbeatAnswer | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Leave:
    """`others`: the page's further numbers."""

    site: str
    origin: str
    session: UUID
    kind: Literal["hide", "close"]
    token: str | None = None
    others: tuple[OtherShown, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tap:
    site: str
    origin: str
    session: UUID
    number: str | None
    kind: Literal["tap", "copy"]
    token: str | None = None
