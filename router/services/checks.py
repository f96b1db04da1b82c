"""Checks of what administrators type; problems are gathered and reported together."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn, TypeVar, get_args
from urllib.parse import urlsplit

from router.domain import phone
from router.domain.errors import FieldError, FieldErrors, NoSuch
from router.domain.rules import Rule, from_json, parse

T = TypeVar("T")
N = TypeVar("N", int, float)

# What names a thing: its name as people say it, or its id as a program keeps it.
Ref = str | int

_TRUNK = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ENDPOINT = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]+\]")
_AREA = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Problems:
    """Gathers refusals, so that a person mends them all in one go."""

    def __init__(self) -> None:
        self._found: list[FieldError] = []

    def add(self, field: str, problem: str, example: str = "") -> None:
        self._found.append(FieldError(field, problem, example))

    def check(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T | None:
        """What `function` returns, or None after its refusal has been noted."""
        try:
            return function(*arguments, **named)
        except FieldErrors as refused:
            self._found.extend(refused.problems)
        except FieldError as refused:
            self._found.append(refused)
        return None

    async def find(self, work: Awaitable[T]) -> T | None:
        """As `check`, of what has to be looked up."""
        try:
            return await work
        except FieldErrors as refused:
            self._found.extend(refused.problems)
        except FieldError as refused:
            self._found.append(refused)
        return None

    def refuse(self) -> None:
        """Raises what was gathered: FieldError for one problem, FieldErrors for several."""
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise FieldErrors(self._found)


def name(text: str, *, field: str = "name", example: str = "Acme") -> str:
    """A name that a person reads: 1 to 100 visible characters."""
    stripped = text.strip()
    if not stripped:
        raise FieldError(field, "is empty", example)
    if len(stripped) > 100:
        raise FieldError(field, f"has {len(stripped)} characters, at most 100 are kept", example)
    if not stripped.isprintable():
        raise FieldError(field, "contains control characters", example)
    return stripped


def reason(text: str) -> str:
    """Why somebody does something, in his words; empty where he gives none."""
    stripped = text.strip()
    if len(stripped) > 300:
        raise FieldError(
            "why", f"has {len(stripped)} characters, at most 300 are kept", "rings at night"
        )
    if not stripped.isprintable():
        raise FieldError("why", "contains control characters", "rings at night")
    return stripped


def trunk_name(text: str) -> str:
    """CT_TRUNK of an endpoint in pjsip.conf."""
    return _matching(_TRUNK, text, "name", "letters, digits, _ and -, at most 40", "carrier-1")


def endpoint(text: str) -> str:
    """An endpoint of pjsip.conf."""
    return _matching(
        _ENDPOINT, text, "endpoint", "letters, digits, _ . and -, at most 60", "office"
    )


def site_key(text: str) -> str:
    """What the snippet names its site by."""
    return _matching(_KEY, text, "key", "8 to 64 letters, digits, _ and -", "acme-shop-7fQ2")


def _matching(pattern: re.Pattern[str], text: str, field: str, rule: str, example: str) -> str:
    if not pattern.fullmatch(text):
        raise FieldError(field, f"{text!r} is refused: {rule}", example)
    return text


def region(text: str) -> str:
    """ISO 3166 code of a country."""
    if not phone.is_region(text.upper()):
        raise FieldError("region", f"{text!r} is not a country's two-letter code", "RU")
    return text.upper()


def between(field: str, value: N, least: N, most: N) -> N:
    if not least <= value <= most:
        raise FieldError(field, f"{value} is not between {least} and {most}", str(least))
    return value


def one_of(field: str, value: str, allowed: Any) -> Any:
    """`value`, if it is one of the words of the Literal `allowed`."""
    words: tuple[str, ...] = get_args(allowed)
    if value not in words:
        raise FieldError(field, f"{value!r} is not one of {', '.join(words)}", words[0])
    return value


def word(field: str, text: str, example: str) -> str:
    """What a call is credited to, or a channel: 1 to 200 visible characters."""
    stripped = text.strip()
    if not stripped or len(stripped) > 200 or not stripped.isprintable():
        raise FieldError(field, "is not 1 to 200 visible characters", example)
    return stripped


def area(text: str) -> str:
    """ISO 3166-1 code of a country, or 3166-2 of a part of it."""
    if not _AREA.fullmatch(text.upper()):
        raise FieldError("region", f"{text!r} is neither a country nor a part of one", "RU-MOW")
    return text.upper()


def origin(text: str) -> str:
    """``HTTPS://Shop.example:443/`` → ``https://shop.example``, as browsers write it in Origin."""
    example = "https://www.example.com"

    def refuse(problem: str) -> NoReturn:
        raise FieldError("origin", f"{text!r} is refused: {problem}", example)

    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        refuse("it is not a URL")
    if parts.scheme not in _DEFAULT_PORTS:
        refuse("it begins neither with https:// nor with http://")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        refuse("an origin is a scheme, a host and perhaps a port, nothing else")
    try:
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except UnicodeError:
        host = ""
    if parts.netloc.startswith("["):
        host = f"[{host}]"
    if not _HOST.fullmatch(host):
        refuse("its host is not a host name")
    shown = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def origins(texts: Sequence[str]) -> tuple[str, ...]:
    """At least one, each once, in the order given."""
    if not texts:
        raise FieldError("origin", "a site needs at least one", "https://www.example.com")
    return each(origin, texts)


def numbers(
    texts: Sequence[str], region: str | None, *, field: str, required: bool = True
) -> tuple[str, ...]:
    """E.164, each once, in the order given."""
    if required and not texts:
        raise FieldError(field, "none is given", phone.EXAMPLE)
    return each(lambda text: phone.parse(text, region, field=field), texts)


def each(check: Callable[[str], str], texts: Sequence[str]) -> tuple[str, ...]:
    """`check` of each text, doubles dropped. Raises all refusals together."""
    problems = Problems()
    checked = [problems.check(check, text) for text in texts]
    problems.refuse()
    return tuple(dict.fromkeys(value for value in checked if value is not None))


def rules(given: Sequence[str | Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Texts like ``source=google and not path^=/blog``, or the same as JSON; all hold."""
    problems = Problems()
    checked = [problems.check(parse if isinstance(one, str) else from_json, one) for one in given]
    problems.refuse()
    return tuple(found for found in checked if found is not None)


def named(
    field: str,
    wanted: Ref,
    found: Collection[T],
    key: Callable[[T], str],
    identity: Callable[[T], int] | None = None,
) -> T:
    """The one that is called so, or has this id. The refusal says what there is instead."""
    for candidate in found:
        if key(candidate) == wanted or (identity and identity(candidate) == wanted):
            return candidate
    have = ", ".join(sorted(key(candidate) for candidate in found)) or "none yet"
    raise NoSuch(field, f"there is no {wanted!r}; there is: {have}")


def known_channel(key: str, known: Collection[str], *, field: str) -> str:
    """The key of a channel that there is. The refusal names those that look alike, else all."""
    folded = key.strip().casefold()
    if folded in known:
        return folded
    alike = [one for one in sorted(known) if folded[:4] and folded[:4] in one] or sorted(known)
    raise FieldError(field, f"there is no channel {key!r}; there is: {', '.join(alike)}", alike[0])
