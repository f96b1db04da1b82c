"""How often one network, or one site, may ask.

A minute begins with the first request and is counted by `limits`. Its storage is our own: the one that it
brings walks through all its keys at every hit, so that many addresses would slow everybody down.
"""

from __future__ import annotations

import math
import socket
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import islice

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from router.domain.errors import CallRouterError
from router.settings import Networks

KEYS_AT_MOST = 200_000


class TooMany(CallRouterError):
    """Too many requests."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many requests: try again in {retry_after} s")
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Requests a minute. A network is a /24 of IPv4, a /56 of IPv6: visitors of one mobile carrier share
    one, so it is no small number."""

    network_visits: int = 120
    network_signals: int = 1200
    site_visits: int = 6000
    failed_sign_ins: int = 20


class _Minute(RateLimitItemPerMinute):
    """So many a minute. The key is short: it is made for every request."""

    def key_for(self, *identifiers: bytes | str | float) -> str:
        kind, who = map(str, identifiers)
        return f"{kind}/{who}"


class _Counters(Storage):
    """Counters with an end, the oldest dropped when there are too many."""

    STORAGE_SCHEME = ["bounded-memory"]  # noqa: RUF012 - as the parent declares it

    def __init__(self) -> None:
        super().__init__()
        self._counters: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return MemoryError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        count, ends = self._counters.get(key, (0, 0.0))
        if ends > now:
            self._counters[key] = (count + amount, ends)
            return count + amount
        self._counters.pop(key, None)
        self._counters[key] = (amount, now + expiry)
        while len(self._counters) > KEYS_AT_MOST or self._oldest_is_over(now):
            self._counters.popitem(last=False)
        return amount

    def _oldest_is_over(self, now: float) -> bool:
        return any(ends <= now for _, ends in islice(self._counters.values(), 1))

    def get(self, key: str) -> int:
        count, ends = self._counters.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._counters.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        count = len(self._counters)
        self._counters.clear()
        return count

    def clear(self, key: str) -> None:
        self._counters.pop(key, None)

    def __len__(self) -> int:
        return len(self._counters)


class Throttle:
    """Refuses with TooMany, and says when to try again."""

    def __init__(self, limits: Limits | None = None) -> None:
        given = limits or Limits()
        self._window = FixedWindowRateLimiter(_Counters())
        self._network_visits = _Minute(given.network_visits)
        self._network_signals = _Minute(given.network_signals)
        self._site_visits = _Minute(given.site_visits)
        self._failed_sign_ins = _Minute(given.failed_sign_ins)

    def visit(self, network: str) -> None:
        self._take(self._network_visits, "visit", network)

    def site(self, key: str) -> None:
        self._take(self._site_visits, "site", key)

    def signal(self, network: str) -> None:
        """A heartbeat, a leave, a tap, a question before a visit."""
        self._take(self._network_signals, "signal", network)

    def may_sign_in(self, network: str) -> None:
        """Refuses who failed too often; nothing is counted here."""
        if not self._window.test(self._failed_sign_ins, "sign-in", network):
            raise self._refusal(self._failed_sign_ins, "sign-in", network)

    def sign_in_failed(self, network: str) -> None:
        self._window.hit(self._failed_sign_ins, "sign-in", network)

    def _take(self, item: RateLimitItem, kind: str, key: str) -> None:
        if not self._window.hit(item, kind, key):
            raise self._refusal(item, kind, key)

    def _refusal(self, item: RateLimitItem, kind: str, key: str) -> TooMany:
        opens = self._window.get_window_stats(item, kind, key).reset_time
        return TooMany(max(1, math.ceil(opens - time.time())))


def client_address(peer: str | None, forwarded: str | None, trusted: Networks) -> str:
    """Who asks: the peer; behind proxies we trust the nearest address that is not one of them.

    `forwarded` is X-Forwarded-For, which everybody can write: only what trusted proxies added counts.
    """
    if not trusted or not peer or not _within(peer, trusted):
        return peer or ""
    for hop in reversed((forwarded or "").split(",")):
        address = _address(hop)
        if address is None:
            break
        peer = address
        if not _within(address, trusted):
            break
    return peer


@lru_cache(maxsize=4096)
def _within(address: str, networks: Networks) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in networks)


def _address(text: str) -> str | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    if _is_ipv4(text):
        return text
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _is_ipv4(text: str) -> bool:
    """In the one form that is written so: there is nothing to turn into another."""
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


@lru_cache(maxsize=65536)
def network_of(address: str) -> str:
    """``203.0.113.77`` → ``203.0.113.0/24``; IPv6 → its /56; anything else as it is."""
    if _is_ipv4(address):
        return address[: address.rindex(".")] + ".0/24"
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is None:
            return str(ip_network((known, 56), strict=False))
        known = known.ipv4_mapped
    return network_of(str(known))
