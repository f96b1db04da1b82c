"""What the command line says of words it cannot take: the argument, its problem, and a good one."""

from __future__ import annotations

from typing import Any

# by the name of the argument; the same word means the same everywhere
EXAMPLES = {
    "name": "clearpane",
    "file": "numbers.csv",
    "to": "visitors",
    "days": "30",
    "old": "1-315-658",
    "new": "1-680-658",
    "from_": "2027-03-01",
    "until": "2027-06-01",
    "country": "RU",
    "numbers": "+74951350101 +74951350102",
    "number": "+74951350001",
    "endpoint": "company",
    "trunk": "carrier1",
    "target": "office",
    "ring_seconds": "25",
    "origin": "https://www.example.com",
    "default_number": "+74951350000",
    "page_number": "+74951350000",
    "region": "RU",
    "time_zone": "Europe/Moscow",
    "key": "clearpane-main",
    "site": "clearpane",
    "pool": "visitors",
    "kind": "dynamic",
    "rule": "source=google",
    "priority": "100",
    "reservation_seconds": "900",
    "source": "google",
    "medium": "cpc",
    "campaign": "spring",
    "policy": "balanced",
    "goal": "coverage",
    "aim": "0.9",
    "price": "3",
    "binding": "campaign",
    "scope": "write",
    "left_seconds": "1200",
    "closed_seconds": "600",
    "idle_seconds": "900",
    "bounce_seconds": "180",
    "tapped_seconds": "1800",
    "organisation": "Clearpane",
    "channel": "google_ads",
    "url": "https://www.example.com/?gclid=1",
    "referrer": "https://www.google.com/",
    "device": "mobile",
}


def sentence(error: Any) -> str:
    """One line for a usage error of typer's (its classes are typer's own, and not exported)."""
    problem = str(error.format_message()).rstrip(".")
    parameter = getattr(error, "param", None)
    name = str(getattr(parameter, "name", None) or "")
    command = getattr(getattr(error, "ctx", None), "command_path", "call-router")
    if parameter is not None and name:
        flag = name if parameter.param_type_name == "argument" else parameter.opts[0]
        what = problem.partition(": ")[2] or ("is missing" if "Missing" in problem else problem)
        problem = f"{flag}: {what[:1].lower()}{what[1:]}"
    example = EXAMPLES.get(name)
    hint = f" (for example {example})" if example else f" (see `{command} --help`)"
    return problem + hint
