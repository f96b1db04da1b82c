"""Where a call goes, and what the company sees of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from router.domain import phone
from router.domain.channels import name_of
from router.domain.errors import PhoneRefused
from router.domain.model import Attribution, Target, Touch, hundredths

NAME_BYTES = 80
_ELLIPSIS = "…"
_JOINER = "\u200d"  # holds an emoji of several parts together
# what may not stand in a name: control, surrogate, unassigned, line and paragraph separators
_UNFIT = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp", "Cf"})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`target` is None where no target may be called; `refused` says why, one line each."""

    target: Target | None
    refused: tuple[str, ...] = ()


def plan(targets: Sequence[Target], ours: frozenset[str] = frozenset()) -> Plan:
    """The first of the number's, the pool's and the site's target that may be called.

    `ours` are our own tracking numbers among the targets': a call to one would come back without end.
    """
    refused: list[str] = []
    for target in targets:
        problem = refusal(target, ours)
        if problem is None:
            return Plan(target=target, refused=tuple(refused))
        refused.append(f"{target.name}: {problem}")
    return Plan(target=None, refused=tuple(refused))


def refusal(target: Target, ours: frozenset[str] = frozenset()) -> str | None:
    """Why a target may not be called, or None."""
    if target.kind == "endpoint":
        return None if target.endpoint else "it has no endpoint"
    if target.e164 is None or target.trunk is None:
        return "it has no number or no trunk"
    if target.e164 in ours:
        return f"{target.e164} is itself a tracking number"
    return _not_allowed(target.e164)


@lru_cache(maxsize=4096)
def _not_allowed(e164: str) -> str | None:
    try:
        phone.parse_target(e164)
    except PhoneRefused as refused:
        return refused.problem
    return None


@lru_cache(maxsize=16384)
def dialled(did: str, raw_did: str) -> tuple[str, ...]:
    """What a trunk sent → the E.164 numbers that it may mean, the likeliest first.

    `did` is what the dialplan made of it (digits), `raw_did` what came. ``810…`` and ``00…`` are
    prefixes of international calls; only the router tries to read them.
    """
    digits = "".join(c for c in did if c.isascii() and c.isdigit())
    raw = "".join(c for c in raw_did if c.isascii() and c.isdigit())
    readings = [digits, raw]
    for prefix in ("810", "00"):
        readings += [text.removeprefix(prefix) for text in (raw, digits) if text.startswith(prefix)]
    found = (f"+{text}" for text in readings)
    return tuple(dict.fromkeys(number for number in found if phone.is_e164(number)))


def certainly_foreign(did: str, raw_did: str) -> bool:
    """True for a whole, valid telephone number: if it is none of ours, it is somebody else's.

    Anything less (an account's name, a short number, digits that no numbering plan has) may be one of
    ours in a form we did not understand, and rings the trunk's default line.
    """
    return any(_valid(number) for number in dialled(did, raw_did)[:1])


@lru_cache(maxsize=4096)
def _valid(e164: str) -> bool:
    try:
        phone.parse(e164)
    except PhoneRefused:
        return False
    return True


_SIP_MARKS = str.maketrans(dict.fromkeys('<>"\\', " "))


def caller_name(attribution: Attribution) -> str:
    """``google / cpc / spring 97%`` for the company's display, at most 80 bytes; empty if nothing is known. A
    channel's name stands for a source that is not known."""
    touch = attribution.touch
    if touch is None:
        return ""
    percent = f" {hundredths(attribution.confidence)}%" if attribution.confidence < 1 else ""
    # brackets and quotes are SIP's own: legal when escaped, yet telephones stumble over them
    names = [
        clean(name.translate(_SIP_MARKS))
        for name in (touch.source or name_of(touch.channel), touch.medium, touch.campaign)
    ]
    return cut(" / ".join(name for name in names if name), NAME_BYTES - len(percent)) + percent


def tags(attribution: Attribution) -> Mapping[str, str]:
    """What goes to the company's equipment: source (where only the channel is known, its key), medium,
    campaign, method, confidence."""
    touch = attribution.touch or Touch(source="", medium="")
    named = {
        "source": clean(touch.source or touch.channel),
        "medium": clean(touch.medium),
        "campaign": clean(touch.campaign),
        "method": attribution.method,
        "confidence": f"{hundredths(attribution.confidence) / 100:.2f}",
    }
    return {name: value for name, value in named.items() if value}


@lru_cache(maxsize=16384)
def clean(text: str) -> str:
    """Text without what cannot be shown in one line: no control or direction characters, single spaces."""
    kept = (
        " " if c.isspace() else c
        for c in text
        if c.isspace() or c == _JOINER or unicodedata.category(c) not in _UNFIT
    )
    return " ".join("".join(kept).split())


def cut(text: str, size: int) -> str:
    """At most `size` bytes of UTF-8, cut at a character, with an ellipsis where something is missing."""
    if len(text.encode()) <= size:
        return text
    room = size - len(_ELLIPSIS.encode())
    kept = text.encode()[:room].decode(errors="ignore")
    rest = text[len(kept) :]
    # a letter keeps its accents, an emoji its parts, or all of it goes
    while kept and (rest[0] == _JOINER or kept[-1] == _JOINER or unicodedata.combining(rest[0])):
        kept, rest = kept[:-1], kept[-1] + rest
    return kept.rstrip(" /") + _ELLIPSIS
