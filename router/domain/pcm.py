"""Recordings as Asterisk writes them, and as a player wants them.

Asterisk writes headerless signed 16-bit samples, 8,000 a second, two channels: left the company, right the
caller. A WAV file of ours has the caller left and the company right.
"""

from __future__ import annotations

import struct
from array import array

RATE = 8000
CHANNELS = 2
FRAME_BYTES = 2 * CHANNELS
BYTES_PER_SECOND = RATE * FRAME_BYTES
HEADER_BYTES = 44
# a WAV file's sizes are 32 bits wide
_LARGEST = 0xFFFFFFFF - HEADER_BYTES


def duration_ms(size: int) -> int:
    """Bytes of samples → milliseconds; half a frame at the end does not count."""
    return size // FRAME_BYTES * 1000 // RATE


def whole_frames(size: int) -> int:
    """The part of `size` bytes that is whole frames."""
    return min(size - size % FRAME_BYTES, _LARGEST - _LARGEST % FRAME_BYTES)


def header(size: int) -> bytes:
    """The 44 bytes before `size` bytes of samples."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        size + HEADER_BYTES - 8,
        b"WAVE",
        b"fmt ",
        16,
        1,
        CHANNELS,
        RATE,
        BYTES_PER_SECOND,
        FRAME_BYTES,
        16,
        b"data",
        size,
    )


def swapped(frames: bytes) -> bytes:
    """Whole frames with left and right exchanged."""
    samples = array("H", frames)
    samples[0::2], samples[1::2] = samples[1::2], samples[0::2]
    return samples.tobytes()
