"""Reservation tokens: what a page shows that it speaks of a session which it was told of by us.

A token is good for one session of one site until a moment. It is 28 characters of base64url: the moment, as
5 bytes of seconds since 1970, and the first 16 bytes of HMAC-SHA256 (RFC 2104) over that, the session's key and
the site's.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

LIFETIME = timedelta(hours=24)
# every router has read a new key by then
SETTLES = timedelta(minutes=1)

_MOMENT_BYTES = 5
_SIGNATURE_BYTES = 16
# a multiple of three: base64 needs no padding, and no two texts mean the same bytes
_LENGTH = (_MOMENT_BYTES + _SIGNATURE_BYTES) * 4 // 3


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenKey:
    """`secret`: 32 random bytes."""

    secret: bytes
    made_at: datetime


class TokenKeys:
    """Keys that all routers share, the newest first. The newest signs, as soon as all of them have it;
    what any of them signed is taken. Without a key nothing is signed or taken."""

    def __init__(self, keys: Sequence[TokenKey] = ()) -> None:
        self._keys = tuple(keys)

    def sign(self, site: str, session: UUID, now: datetime) -> str | None:
        """A token for the session with this key at the site with this key."""
        if not self._keys:
            return None
        settled = (key for key in self._keys if key.made_at <= now - SETTLES)
        key = next(settled, self._keys[-1])
        moment = int((now + LIFETIME).timestamp()).to_bytes(_MOMENT_BYTES, "big")
        signed = moment + _signature(key, moment, site, session)
        return base64.urlsafe_b64encode(signed).decode("ascii")

    def good(self, token: str | None, site: str, session: UUID, now: datetime) -> bool:
        """Whether it is one of ours, for this session of this site, and not over."""
        moment, signature = _read(token)
        if moment is None or _seconds(moment) <= now.timestamp():
            return False
        return any(
            hmac.compare_digest(signature, _signature(key, moment, site, session))
            for key in self._keys
        )

    def renewed(self, token: str | None, site: str, session: UUID, now: datetime) -> str | None:
        """What follows a good token, once half of its time is over."""
        moment, _ = _read(token)
        if moment is None or _seconds(moment) >= (now + LIFETIME / 2).timestamp():
            return None
        return self.sign(site, session, now)


def _read(token: str | None) -> tuple[bytes | None, bytes]:
    """Until when, and the signature; None of what is no token at all."""
    if token is None or len(token) != _LENGTH or "+" in token or "/" in token:
        # base64 has two alphabets, and its reader takes both: one token shall have one form
        return None, b""
    try:
        said = base64.b64decode(token, altchars=b"-_", validate=True)
    except ValueError:
        return None, b""
    return said[:_MOMENT_BYTES], said[_MOMENT_BYTES:]


def _seconds(moment: bytes) -> int:
    return int.from_bytes(moment, "big")


def _signature(key: TokenKey, moment: bytes, site: str, session: UUID) -> bytes:
    # the first two are always as long, so no other three values make the same text
    told = moment + session.bytes + site.encode()
    return hmac.digest(key.secret, told, "sha256")[:_SIGNATURE_BYTES]
