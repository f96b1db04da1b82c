"""What a visit answers when a rule asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote, unquote_plus, urlsplit

from router.domain.attribution import CLIENT_IDS, URL_LENGTH, clean, host
from router.domain.model import Device, Touch
from router.domain.rules.tree import QUERY

_PARAMETERS = 200  # a URL may carry thousands; rules ask for the first ones


class Facts:
    """A visit, by the landing that began its session. What no rule asks for is not worked out.

    `visit` is 1 for a visitor's first session; None where that is not known yet.
    """

    __slots__ = ("_found", "city", "device", "referrer", "region", "touch", "url", "visit")

    def __init__(
        self,
        *,
        touch: Touch,
        url: str = "",
        referrer: str = "",
        device: Device | None = None,
        region: str | None = None,
        city: str | None = None,
        visit: int | None = None,
    ) -> None:
        self.touch = touch
        self.url = url
        self.referrer = referrer
        self.device = device
        self.region = region
        self.city = city
        self.visit = visit
        self._found: dict[str, Sequence[str]] = {}

    def in_channel(self, key: str) -> Facts:
        """The same visit, given its channel."""
        return Facts(
            touch=replace(self.touch, channel=key),
            url=self.url,
            referrer=self.referrer,
            device=self.device,
            region=self.region,
            city=self.city,
            visit=self.visit,
        )

    def values(self, field: str, /) -> Sequence[str]:
        """What there is of `field`, folded: several click ids, several parameters of one name."""
        found = self._found.get(field)
        if found is None:
            found = self._found[field] = self._look(field)
        return found

    def _look(self, field: str) -> Sequence[str]:
        if field == "click_id":
            return tuple(name for name in self.touch.click_ids if name not in CLIENT_IDS)
        if field.startswith(QUERY):
            return _query(self.url).get(field[len(QUERY) :], ())
        text = self._text(field)
        return (text.casefold(),) if text else ()

    def _text(self, field: str) -> str:
        match field:
            case "referrer":
                return host(self.referrer)
            case "url":
                return self.url
            case "host":
                return host(self.url)
            case "path":
                return path(self.url)
            case "region":
                return self.region or ""
            case "city":
                return self.city or ""
            case "device":
                return self.device or ""
            case "visit":
                return str(self.visit) if self.visit else ""
        value: str = getattr(self.touch, field)
        return value


def path(url: str) -> str:
    """The path of a URL, decoded; ``/`` where it has none, empty where there is no URL."""
    if not url:
        return ""
    try:
        found = urlsplit(url).path
    except ValueError:
        # a host in brackets that is no address; what follows is a path none the less
        found = "/" + url.partition("://")[2].partition("/")[2].partition("?")[0].partition("#")[0]
    return clean(unquote(found), URL_LENGTH) or "/"


def _query(url: str) -> Mapping[str, Sequence[str]]:
    """Parameters by folded name, each with its folded values; an empty value is none."""
    found: dict[str, list[str]] = {}
    query = url.partition("#")[0].partition("?")[2]
    for parameter in query.split("&", _PARAMETERS)[:_PARAMETERS] if query else ():
        name, _, value = parameter.partition("=")
        if text := clean(unquote_plus(value)):
            found.setdefault(clean(unquote_plus(name)).casefold(), []).append(text.casefold())
    return found
