"""structlog: one canonical line per call and per request; phones masked; console on a tty, else JSON."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Literal, TextIO

import structlog
from pydantic_core import to_json

# Only the last two digits of anything that looks like a telephone number may reach a log. Ids of
# Asterisk ("1763910000.12", a SIP call id) are kept: they are named, and name nobody.
_PHONE = re.compile(r"(?<![\w.-])(?!\d{4}-\d\d-\d\d)\+?\d[\d ()\u00a0-]{5,20}\d(?![\w.-])")
_NOT_PHONES = frozenset(
    {
        "linkedid",
        "uniqueid",
        "sip_call_id",
        "ref",
        "timestamp",
        "duration_ms",
        "session",
        "id",
        "bytes",
        "ms",
    }
)


def mask_phone(text: str) -> str:
    """``+74951234567`` → ``+*********67``; text without a number comes back as it was."""
    return _PHONE.sub(lambda found: _masked(found.group()), text)


# the same few words stand in every request's line
_mask_word = lru_cache(maxsize=1024)(mask_phone)
_WORD = 40


def _masked(number: str) -> str:
    digits = [c for c in number if c.isdigit()]
    if len(digits) < 7:
        return number
    plus = "+" if number.startswith("+") else ""
    return plus + "*" * (len(digits) - 2) + "".join(digits[-2:])


def _mask_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key not in _NOT_PHONES and isinstance(value, str):
            event[key] = _mask_word(value) if len(value) <= _WORD else mask_phone(value)
    return event


def _json(event: Any, **_options: Any) -> str:
    # four times as fast as json.dumps, and there is a line for each request
    return to_json(event, fallback=repr).decode()


def configure(
    *,
    style: Literal["auto", "console", "json"] = "auto",
    level: str = "info",
    stream: TextIO | None = None,
) -> None:
    """Set up structlog and the standard library's logging (of our dependencies) to one stream."""
    stream = stream or sys.stdout
    console = style == "console" or (style == "auto" and stream.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask_event,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if console
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))
