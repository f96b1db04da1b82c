"""The transcripts of this folder as events: rows of the file, and what AMI said of the same calls."""

from __future__ import annotations

import csv
from pathlib import Path

from router.domain.model import CallEvent
from router.telephony import cel

FOLDER = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.csv")))


def rows(name: str) -> list[CallEvent]:
    """The events of one call from Asterisk's file."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as lines:
        return [cel.from_csv(fields) for fields in csv.reader(lines)]


def messages(name: str) -> list[dict[str, str]]:
    """Every AMI event of one call, keys in lower case."""
    text = (FOLDER / f"{name}.ami").read_bytes().decode()
    found = []
    for block in text.split("\r\n\r\n"):
        pairs = (line.partition(": ") for line in block.split("\r\n") if line)
        if message := {key.rstrip(":").lower(): value for key, _, value in pairs}:
            found.append(message)
    return found


def heard(name: str) -> list[CallEvent]:
    """The events of one call as AMI told them."""
    return [cel.from_ami(m) for m in messages(name) if m.get("event") == "CEL"]
