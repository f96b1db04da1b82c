"""The words between the router and the dialplan, each once: AGI variables in, one JSON line out.

What the fields mean stands in asterisk-conf/extensions.conf. Everything that leaves here has been cut to
size and holds no control character: a line break in a value would be a command, or a SIP header, of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote

from router.domain.errors import CallRouterError
from router.domain.model import Arrival, Route, Target

SCRIPT = "route"
ANSWER = "CT_R"
FAMILY_NUMBER = "ct-did"
FAMILY_TRUNK = "ct-trunk"

FIELD_BYTES = 512
LINE_BYTES = 4000
RECORD_BYTES = 1000
HEADER_BYTES = 200
NAME_BYTES = 80
CODES = frozenset({403, 404, 410, 480, 484, 486, 503})
# JSON key of the answer ← name of the tag
TAGS: Mapping[str, str] = {
    "hs": "source",
    "hm": "medium",
    "hc": "campaign",
    "hx": "method",
    "hp": "confidence",
}

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_REF = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ENDPOINT = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class Unwritable(CallRouterError):
    """A value may not be sent to Asterisk."""


def arrival(environment: Mapping[str, str]) -> Arrival:
    """The call that an AGI environment announces: ``route,<did>,<raw did>,<trunk>,<caller>``."""
    caller = environment.get("agi_arg_4", environment.get("agi_callerid", ""))
    return Arrival(
        linkedid=environment.get("agi_uniqueid", "")[:150],
        did=environment.get("agi_arg_1", "")[:64],
        raw_did=environment.get("agi_arg_2", "")[:64],
        caller="" if caller == "unknown" else caller[:64],
        trunk=environment.get("agi_arg_3", "")[:40],
    )


def answer(route: Route | None) -> str:
    """The JSON of a route. ``{}`` tells Asterisk to take its own record. Raises Unwritable."""
    if route is None:
        return "{}"
    fields: dict[str, str] = {"ref": _matching(_REF, route.ref, "ref")}
    plan, _ = plan_text(route.targets)
    if plan:
        fields["t"] = plan
    elif route.code is not None:
        if route.code not in CODES:
            raise Unwritable(f"code: {route.code} is none of {sorted(CODES)}")
        fields["code"] = str(route.code)
    if route.name:
        fields["n"] = cut(route.name, NAME_BYTES)
    for key, tag in TAGS.items():
        if value := route.tags.get(tag):
            fields[key] = url_encoded(value)
    if not route.record:
        fields["rec"] = "0"
    return dump(fields, LINE_BYTES)


def record(targets: Sequence[Target], *, keep_audio: bool, version: str) -> str:
    """The JSON kept in Asterisk's own database for when the router is away. Raises Unwritable."""
    plan, _ = plan_text(targets)
    fields = {"t": plan, "v": version}
    if not keep_audio:
        fields["rec"] = "0"
    return dump(fields, RECORD_BYTES)


def plan_text(targets: Sequence[Target]) -> tuple[str, bool]:
    """``PJSIP/a^25!PJSIP/+7495…@trunk^20``, cut at a whole target, and whether it was cut."""
    text = ""
    for target in targets:
        step = f"{_address(target)}^{min(max(target.ring_seconds, 1), 120)}"
        longer = f"{text}!{step}" if text else step
        if len(longer) > FIELD_BYTES:
            return text, True
        text = longer
    return text, False


def _address(target: Target) -> str:
    if target.kind == "endpoint":
        return "PJSIP/" + _matching(_ENDPOINT, target.endpoint or "", "endpoint")
    number = _matching(_NUMBER, target.e164 or "", "e164")
    return f"PJSIP/{number}@{_matching(_ENDPOINT, target.trunk or '', 'trunk')}"


def _matching(form: re.Pattern[str], value: str, field: str) -> str:
    if form.fullmatch(value) is None:
        raise Unwritable(f"{field}: {value!r} has not the form {form.pattern}")
    return value


@lru_cache(maxsize=16384)
def url_encoded(text: str) -> str:
    """Percent-encoded UTF-8 of at most 200 bytes, cut at a character."""
    encoded = ""
    for character in text:
        piece = quote(character, safe="", errors="replace")
        if len(encoded) + len(piece) > HEADER_BYTES:
            break
        encoded += piece
    return encoded


def cut(text: str, size: int) -> str:
    """At most `size` bytes of UTF-8, cut at a character."""
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def dump(fields: Mapping[str, str], size: int) -> str:
    """One JSON object on one line. Raises Unwritable for a value that must not leave."""
    for field, value in fields.items():
        if _CONTROL.search(value):
            raise Unwritable(f"{field}: {value!r} holds a control character")
        if len(value.encode(errors="replace")) > FIELD_BYTES:
            raise Unwritable(f"{field}: longer than {FIELD_BYTES} bytes")
    line = json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":"))
    if len(line.encode(errors="replace")) > size:
        raise Unwritable(f"the answer is longer than {size} bytes")
    return line


def set_variable(name: str, value: str) -> bytes:
    """The AGI command, whole. Raises Unwritable.

    Asterisk reads at most 8,191 bytes as one command and takes the rest for the next one; a line break
    ends a command, a NUL stops Asterisk altogether.
    """
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,39}", name):
        raise Unwritable(f"{name!r} is no variable's name")
    if _CONTROL.search(value):
        raise Unwritable(f"{name}: a control character")
    if len(value.encode(errors="replace")) > LINE_BYTES:
        raise Unwritable(f"{name}: longer than {LINE_BYTES} bytes")
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'SET VARIABLE {name} "{quoted}"\n'.encode(errors="replace")
