"""Writes tiny .mmdb files (MaxMind DB format 2.0), for tests of places."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARK = b"\xab\xcd\xefMaxMind.com"
RECORD_BITS = 32


def write(
    path: Path, networks: Mapping[str, Mapping[str, Any]], *, kind: str = "Test-City"
) -> Path:
    """A file that gives each network (IPv4 or IPv6, not nested) its record."""
    nodes: list[list[int | None]] = [[None, None]]
    data = b""
    leaves: dict[tuple[int, int], int] = {}
    for text, record in networks.items():
        network = ipaddress.ip_network(text)
        bits, length = int(network.network_address), network.prefixlen
        width = 128
        if network.version == 4:
            length += 96
        node = 0
        for depth in range(length - 1):
            bit = bits >> (width - 1 - depth) & 1
            if nodes[node][bit] is None:
                nodes.append([None, None])
                nodes[node][bit] = len(nodes) - 1
            following = nodes[node][bit]
            assert following is not None
            node = following
        leaves[node, bits >> (width - length) & 1] = len(data)
        data += _encode(record)
    count = len(nodes)
    tree = b""
    for index, pair in enumerate(nodes):
        for side in (0, 1):
            if (index, side) in leaves:
                value = count + 16 + leaves[index, side]
            else:
                following = pair[side]
                value = count if following is None else following
            tree += struct.pack(">I", value)
    about = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_795_000_000,
        "database_type": kind,
        "description": {"en": "a test"},
        "ip_version": 6,
        "languages": ["en"],
        "node_count": count,
        "record_size": RECORD_BITS,
    }
    path.write_bytes(tree + bytes(16) + data + MARK + _encode(about))
    return path


def place(country: str, part: str | None = None, city: str | None = None) -> dict[str, Any]:
    """A record of GeoIP2's form."""
    record: dict[str, Any] = {"country": {"iso_code": country}}
    if part is not None:
        record["subdivisions"] = [{"iso_code": part}]
    if city is not None:
        record["city"] = {"names": {"en": city}}
    return record


def _encode(value: Any) -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return _head(2, len(raw)) + raw
    if isinstance(value, int):
        raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
        # uint64 is type 9, which is written in a second byte
        return bytes([len(raw), 9 - 7]) + raw if value >= 2**32 else _head(6, len(raw)) + raw
    if isinstance(value, Mapping):
        pairs = (_encode(key) + _encode(one) for key, one in value.items())
        return _head(7, len(value)) + b"".join(pairs)
    assert isinstance(value, list)
    return bytes([len(value), 11 - 7]) + b"".join(map(_encode, value))


def _head(kind: int, size: int) -> bytes:
    if size < 29:
        return bytes([kind << 5 | size])
    assert size < 29 + 256
    return bytes([kind << 5 | 29, size - 29])
