"""Request bodies of the snippet: read once, at the edge, into domain values. And what all answers share."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from router.domain import phone
from router.domain.page import (
    Consent,
    Heartbeat,
    Leave,
    OtherShown,
    Tap,
    VisitRequest,
)


def _page_url(value: str) -> str:
    if not value.lower().startswith(("https://", "http://")):
        raise ValueError("not an http or https URL")
    return value


def _without_nul(value: str) -> str:
    # PostgreSQL keeps every character but this one
    return value.replace("\0", "")


Text = Annotated[str, AfterValidator(_without_nul)]
PageUrl = Annotated[Text, AfterValidator(_page_url)]
SiteKey = Annotated[Text, StringConstraints(min_length=1, max_length=64)]
E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]

# a page that shows more numbers than this has others in mind
_OTHERS_AT_MOST = 16

_SITE = Field(examples=["acme-shop-7fQ2"], description="The site's key.")
_SESSION = Field(examples=["7b0d8f52-6a4e-4f0e-9a0f-0f6f1f3c2a11"])
NUMBER_EXAMPLE = "+74951234567"
TOKEN_EXAMPLE = "AGkrXQBzQ1o3ZrW0k8yLh5nTfQ2e"
# whatever a page sends in its place is as good as none: its session is unknown then
_HELD_TOKEN = Field(
    None,
    examples=[TOKEN_EXAMPLE],
    description="What the answer to the visit, or to a later heartbeat, gave with the session.",
)


class Body(BaseModel):
    """What a page sends. Fields that nobody knows are passed over: an old router serves a newer snippet."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Screen(Body):
    width: int = Field(ge=0, le=100_000, examples=[1280])
    height: int = Field(ge=0, le=100_000, examples=[720])


def _digits(value: object) -> str | None:
    """Other scripts' cookies may hold anything: what is no id is no reason to refuse a visit."""
    return value if isinstance(value, str) and re.fullmatch(r"[0-9.]{1,64}", value) else None


ClientId = Annotated[str | None, BeforeValidator(_digits)]


class ClientIds(Body):
    """What analytics know the visitor by: the ids in their own cookies; digits and points."""

    ga: ClientId = Field(None, examples=["1203456789.1730000000"])
    ga_session: ClientId = Field(None, examples=["1747323152"])
    ym: ClientId = Field(None, examples=["1699999999123456789"])

    def by_cookie(self) -> dict[str, str]:
        """Those that are there, by the name that click ids of a URL have."""
        found = {"_ga": self.ga, "_ga_session": self.ga_session, "_ym_uid": self.ym}
        return {name: value for name, value in found.items() if value}


class VisitBody(Body):
    """Which number shall this page show?"""

    site: SiteKey = _SITE
    url: PageUrl = Field(
        examples=["https://shop.example/?utm_source=google"], description="The page's own URL."
    )
    referrer: Text = Field("", examples=["https://www.google.com/"])
    visitor: UUID | None = Field(None, examples=["0f2f7ab1-3a5e-4c52-8d39-1a1c51a6f1d0"])
    session: UUID | None = Field(None, examples=["7b0d8f52-6a4e-4f0e-9a0f-0f6f1f3c2a11"])
    screen: Screen | None = None
    consent: Consent = Field(
        "granted", description="Denied: nothing is kept of the visit; a static or default number."
    )
    client_ids: ClientIds = ClientIds()
    debug: bool = Field(False, description="Tell which rules matched, in `why`.")

    def request(
        self,
        *,
        origin: str,
        user_agent: str,
        address: str | None = None,
        cookie: UUID | None = None,
    ) -> VisitRequest:
        """`cookie`: the visitor's id in the site's own cookie; it goes before what the page has kept."""
        return VisitRequest(
            site=self.site,
            origin=origin,
            url=self.url,
            referrer=self.referrer,
            user_agent=user_agent,
            visitor=cookie or self.visitor,
            session=self.session,
            consent=self.consent,
            debug=self.debug,
            client_ids=self.client_ids.by_cookie(),
            address=address,
        )


class OtherPageNumber(Body):
    """A further number of the page, which a session of its own holds."""

    session: UUID = _SESSION
    token: str | None = _HELD_TOKEN
    number: E164 | None = Field(None, examples=[NUMBER_EXAMPLE], description="What the page shows.")

    def shown(self) -> OtherShown:
        return OtherShown(session=self.session, shown=self.number, token=self.token)


class HeartbeatBody(Body):
    """The page is still open."""

    site: SiteKey = _SITE
    session: UUID = _SESSION
    token: str | None = _HELD_TOKEN
    visible: bool = Field(examples=[True], description="The page is in the foreground.")
    input: bool = Field(
        examples=[False], description="The visitor did something since the last one."
    )
    input_seconds: int | None = Field(
        None,
        ge=0,
        le=10**9,
        examples=[4],
        description="So long ago the visitor did something last.",
    )
    number: E164 | None = Field(None, examples=[NUMBER_EXAMPLE], description="What the page shows.")
    others: list[OtherPageNumber] = Field(default_factory=list, max_length=_OTHERS_AT_MOST)

    def beat(self, *, origin: str) -> Heartbeat:
        return Heartbeat(
            site=self.site,
            origin=origin,
            session=self.session,
            token=self.token,
            visible=self.visible,
            input=self.input,
            shown=self.number,
            input_seconds=self.input_seconds,
            others=tuple(other.shown() for other in self.others),
        )


class LeaveBody(Body):
    """The page went into the background, or was closed."""

    site: SiteKey = _SITE
    session: UUID = _SESSION
    token: str | None = _HELD_TOKEN
    kind: Literal["hide", "close"] = Field(examples=["close"])
    others: list[OtherPageNumber] = Field(default_factory=list, max_length=_OTHERS_AT_MOST)

    def leave(self, *, origin: str) -> Leave:
        return Leave(
            site=self.site,
            origin=origin,
            session=self.session,
            token=self.token,
            kind=self.kind,
            others=tuple(other.shown() for other in self.others),
        )


class TapBody(Body):
    """The visitor tapped the number, or copied it."""

    site: SiteKey = _SITE
    session: UUID = _SESSION
    token: str | None = _HELD_TOKEN
    number: E164 | None = Field(None, examples=[NUMBER_EXAMPLE])
    kind: Literal["tap", "copy"] = Field(examples=["tap"])

    def tap(self, *, origin: str) -> Tap:
        return Tap(
            site=self.site,
            origin=origin,
            session=self.session,
            token=self.token,
            number=self.number,
            kind=self.kind,
        )


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class PhoneNumber(Answer):
    """One number in the forms that pages use."""

    e164: str = Field(examples=[NUMBER_EXAMPLE])
    national: str = Field(examples=["8 (495) 123-45-67"])
    international: str = Field(examples=["+7 495 123-45-67"])


@lru_cache(maxsize=65536)
def phone_number(e164: str) -> PhoneNumber:
    """The forms of one number; the same few are shown again and again."""
    return PhoneNumber(
        e164=e164, national=phone.national(e164), international=phone.international(e164)
    )


class ProblemField(Answer):
    """One value that was refused: its path in the JSON, why, and a good one."""

    field: str = Field(examples=["url"])
    problem: str = Field(examples=["not an http or https URL"])
    example: str = Field("", examples=["https://shop.example/"])


class Problem(Answer):
    """Why a request was refused."""

    error: str = Field(examples=["bad_request"])
    message: str = Field(examples=["url: not an http or https URL"])
    fields: list[ProblemField] = Field(default_factory=list)
