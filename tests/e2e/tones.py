"""Tones as alaw sound, and the ear that finds them again (Goertzel)."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

RATE = 8000
BLOCK = 800  # 100 ms: tones that differ by 10 Hz or a multiple of it do not disturb each other
AMPLITUDE = 8000


def _decode_alaw(code: int) -> int:
    code ^= 0x55
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    value = (mantissa << 4) + 8
    if exponent:
        value = (value + 0x100) << (exponent - 1)
    return value if code & 0x80 else -value


ALAW = [_decode_alaw(code) for code in range(256)]
_BY_VALUE = sorted((value, code) for code, value in enumerate(ALAW))
_VALUES = [value for value, _ in _BY_VALUE]
SILENCE = 0xD5


def decode(sound: bytes) -> list[int]:
    """Samples (signed 16 bit) of alaw `sound`."""
    return [ALAW[code] for code in sound]


def encode(samples: Sequence[float]) -> bytes:
    """The alaw codes nearest to `samples`."""
    found = bytearray()
    for sample in samples:
        at = min(max(bisect_left(_VALUES, sample), 1), len(_VALUES) - 1)
        low, high = _BY_VALUE[at - 1], _BY_VALUE[at]
        found.append(low[1] if sample - low[0] < high[0] - sample else high[1])
    return bytes(found)


def tone(frequency: int, seconds: int = 1) -> bytes:
    """A sine of `frequency` Hz (a whole number, so that one second joins onto the next)."""
    step = 2 * math.pi * frequency / RATE
    return encode([AMPLITUDE * math.sin(step * n) for n in range(RATE * seconds)])


def level(samples: Sequence[int], frequency: int) -> float:
    """Amplitude of the part of `samples` that swings at `frequency` Hz."""
    if not samples:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * frequency / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    power = before * before + last * last - factor * before * last
    return 2 * math.sqrt(max(power, 0.0)) / len(samples)


def share_with(samples: Sequence[int], frequency: int) -> float:
    """Which share of the 100 ms blocks of `samples` carries the tone at half its level or more."""
    blocks = [samples[at : at + BLOCK] for at in range(0, len(samples) - BLOCK + 1, BLOCK)]
    if not blocks:
        return 0.0
    return sum(level(block, frequency) > AMPLITUDE / 2 for block in blocks) / len(blocks)
