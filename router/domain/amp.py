"""Whose page an AMP cache shows: caches serve a publisher's pages under host names made of his.

The way a name is made is AMP's published cache URL format: the publisher's name with ``-`` doubled and ``.``
turned into ``-``; a name too long for that is a hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from urllib.parse import urlsplit

CACHES = ("cdn.ampproject.org", "bing-amp.com")
_LABEL_AT_MOST = 63


def publisher(origin: str, own: Iterable[str]) -> str | None:
    """Which of the site's `own` origins a page of `origin` belongs to: that itself, or the one whose copy
    an AMP cache serves. None: neither."""
    for mine in own:
        host = urlsplit(mine).hostname or ""
        cached = {f"https://{subdomain(host)}.{cache}" for cache in CACHES}
        if origin == mine or origin in cached:
            return mine
    return None


def subdomain(host: str) -> str:
    """``en-us.example.com`` → ``0-en--us-example-com-0``; a host in ASCII, as in an origin."""
    try:
        readable = host.encode("ascii").decode("idna")
    except UnicodeError:
        readable = host
    label = readable.replace("-", "--").replace(".", "-")
    if label[2:4] == "--":
        label = f"0-{label}-0"
    try:
        encoded = label.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if encoded and len(encoded) <= _LABEL_AT_MOST and "." in host:
        return encoded
    digest = hashlib.sha256(host.encode()).digest()
    return base64.b32encode(digest).decode().rstrip("=").lower()
