"""Logs: one line per event, phones masked, ids whole."""

from __future__ import annotations

import io
import json

import pytest
import structlog

from router import log


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+74951234567", "+*********67"),
        ("call from 8 (495) 123-45-67 to us", "call from *********67 to us"),
        ("took 1500 ms", "took 1500 ms"),
        ("1763910000.12", "1763910000.12"),
        ("2026-11-23", "2026-11-23"),
    ],
)
def test_only_two_digits_of_a_phone_are_kept(text: str, masked: str) -> None:
    """Whatever way it is written; figures that are no phones stay."""
    assert log.mask_phone(text) == masked


def test_a_json_line_masks_phones_and_keeps_ids() -> None:
    """The line can be searched by linkedid and shows nobody's number."""
    stream = io.StringIO()
    log.configure(style="json", stream=stream)
    structlog.get_logger("test").info(
        "call ended", caller="+74951234567", linkedid="pbx-1763910000.12"
    )
    structlog.reset_defaults()

    line = json.loads(stream.getvalue())
    assert line["caller"] == "+*********67"
    assert line["linkedid"] == "pbx-1763910000.12"
    assert line["event"] == "call ended"
