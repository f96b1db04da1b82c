"""A visitor's touches: every landing from somewhere, and which of them an attribution model asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.domain.attribution import DIRECT
from router.domain.model import Touch


@dataclass(frozen=True, kw_only=True)
class Landed:
    """A touch with its moment and what it was read from, as it was. `visit`: 1 for the first session.

    `begins`: it began its session; the others came within one.
    """

    at: datetime
    touch: Touch
    url: str
    referrer: str
    visit: int
    begins: bool

    @property
    def direct(self) -> bool:
        return self.touch.source == DIRECT.source


@dataclass(frozen=True, kw_only=True)
class Models:
    """First, last, and last that was not direct; the last two are the same where there is one of it. None
    where there is no touch; `last_non_direct` is the last where all were direct."""

    first: Landed | None
    last: Landed | None
    last_non_direct: Landed | None


def models(touches: Sequence[Landed]) -> Models:
    """Of touches in any order; of two at one moment the later session's is the later."""
    ordered = sorted(touches, key=lambda one: (one.at, one.visit, not one.begins))
    if not ordered:
        return Models(first=None, last=None, last_non_direct=None)
    last = ordered[-1]
    sent = next((one for one in reversed(ordered) if not one.direct), last)
    return Models(first=ordered[0], last=last, last_non_direct=sent)


def further(
    landing: Touch, url: str, referrer: str, session: tuple[str, str], kept: Mapping[str, str]
) -> tuple[bool, Mapping[str, str]]:
    """What a page within a session adds to what is kept of it: whether it is a touch, and new ids.

    It is one if it came from somewhere (not from one's own pages, nor by hand), and is no reload of the
    landing that began the session, whose (URL, referrer) is `session`. `kept`: the session's ids.
    """
    touched = landing.source != DIRECT.source and (url, referrer) != session
    return touched, {name: value for name, value in landing.click_ids.items() if name not in kept}
