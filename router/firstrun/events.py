"""What happens on a running instance, one line an event."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.firstrun.company_line import Ring


@dataclass(frozen=True, kw_only=True)
class Event:
    """A server-sent event of the router's feed (its JSON as text), or the company's telephone."""

    at: datetime
    name: str
    data: str | Ring


def describe(event: Event) -> str:
    """The event in one line; empty for what nobody needs to see."""
    if isinstance(event.data, Ring):
        name = f", the display says “{event.data.name}”" if event.data.name else ""
        return f"the company's telephone rings: {event.data.caller or 'a hidden number'}{name}"
    try:
        told = json.loads(event.data)
    except ValueError:
        return ""
    return _call(told) if isinstance(told, Mapping) else ""


def _call(told: Mapping[str, Any]) -> str:
    return f"{told}"
