"""Sound for the demonstration: short melodies in A-law, the code both ends of the call speak."""

import math
from pathlib import Path

RATE = 8000
CALLER_NOTES = (440.0, 494.0, 554.0, 587.0)
COMPANY_NOTES = (659.0, 554.0, 659.0, 880.0)
_NOTE_SECONDS = 0.4
_LOUDNESS = 9000


def melody(notes: tuple[float, ...]) -> bytes:
    """One round of notes as A-law bytes, 8000 a second."""
    samples = int(RATE * _NOTE_SECONDS)
    sound = bytearray()
    for pitch in notes:
        for index in range(samples):
            # A note that swells and fades does not click at its ends.
            swell = math.sin(math.pi * index / samples)
            value = _LOUDNESS * swell * math.sin(2 * math.pi * pitch * index / RATE)
            sound.append(_alaw(int(value)))
    return bytes(sound)


def write_melody(path: Path, notes: tuple[float, ...]) -> None:
    """Write one round of notes to a file, as SIPp plays it."""
    path.write_bytes(melody(notes))


def _alaw(sample: int) -> int:
    """One 16-bit sample as A-law (ITU-T G.711, even bits inverted)."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(abs(sample) >> 3, 4095)
    exponent = max(magnitude.bit_length() - 5, 0)
    mantissa = (magnitude >> max(exponent, 1)) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55
