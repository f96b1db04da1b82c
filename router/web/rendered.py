"""Numbers for pages that our snippet does not run on: AMP pages, and pages that a server puts together.

What such a page asks is asked by the visitor's own browser (AMP), or by the site's server, which has the
site's server token. Whoever has none is told what everybody is shown: nothing is kept of him.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from aiohttp import web
from pydantic import Field, IPvAnyAddress

from router.domain import amp
from router.domain.errors import FieldError, OriginRefused
from router.domain.page import Consent, HandedHow, VisitAnswer, VisitRequest
from router.services.visits import Visits
from router.web import answers
from router.web.edge import CLIENT, NOTES
from router.web.endpoint import Endpoint, read_query
from router.web.metrics import WebMetrics
from router.web.schemas import (
    E164,
    Answer,
    Body,
    PageUrl,
    PhoneNumber,
    SiteKey,
    Text,
    phone_number,
)
from router.web.throttle import Throttle, network_of

# AMP's client ids become visitors of ours in this namespace
_AMP_CLIENTS = UUID("5e5f5b58-6b0e-4c1c-8f4e-0e8f2a2d8d53")
_SHARED_SECONDS = 60


class AmpQuery(Body):
    """The query of an <amp-call-tracking> element's `config`; AMP fills its variables in."""

    site: SiteKey = Field(examples=["acme-shop-7fQ2"], description="The site's key.")
    url: PageUrl = Field(examples=["SOURCE_URL"], description="The page's own URL.")
    referrer: Text = Field("", examples=["DOCUMENT_REFERRER"])
    client: str = Field(
        "", max_length=256, examples=["CLIENT_ID(ct)"], description="Whose visit it is."
    )
    number: E164 | None = Field(
        None, examples=["%2B74951234567"], description="Which of the page's numbers; the main one."
    )
    consent: Consent = "granted"


class AmpNumber(Answer):
    """As <amp-call-tracking> reads it; the names are AMP's."""

    phoneNumber: str = Field(examples=["+74951234567"])  # noqa: N815 (AMP's own names)
    formattedPhoneNumber: str = Field(examples=["8 (495) 123-45-67"])  # noqa: N815


class NumberQuery(Body):
    """What the site's server says of the visitor that it makes a page for."""

    site: SiteKey = Field(examples=["acme-shop-7fQ2"], description="The site's key.")
    url: PageUrl = Field(
        examples=["https://shop.example/?utm_source=google"], description="The page's own URL."
    )
    referrer: Text = Field("", examples=["https://www.google.com/"])
    visitor: UUID | None = Field(None, examples=["0f2f7ab1-3a5e-4c52-8d39-1a1c51a6f1d0"])
    user_agent: str = Field(
        "",
        max_length=512,
        examples=["Mozilla/5.0 (X11; Linux x86_64)"],
        description="The visitor's, not the server's: robots are shown the page's own number.",
    )
    address: IPvAnyAddress | None = Field(
        None,
        examples=["198.51.100.7"],
        description="The visitor's, not the server's: his region is found by it.",
    )
    consent: Consent = "granted"
    debug: bool = False


class InPlaceOf(Answer):
    """What stands in the place of one of the page's further numbers."""

    number: PhoneNumber
    how: HandedHow
    replace: list[str] = Field(examples=[["+74951234567"]])


class NumberOut(Answer):
    """What the page has to show. `visitor` is to be given back for his next page, and to be put into the
    snippet's `data-visitor`; it and `session` are null where nothing is kept of him."""

    session: UUID | None
    visitor: UUID | None
    number: PhoneNumber
    how: HandedHow
    replace: list[str] = Field(examples=[["+74951234567"]])
    others: list[InPlaceOf]
    valid_until: datetime | None
    why: list[str] = Field(examples=[["ads: source is 'google'"]])

    @classmethod
    def of(cls, answer: VisitAnswer, *, kept: bool) -> NumberOut:
        return cls(
            session=answer.session if kept else None,
            visitor=answer.visitor if kept else None,
            number=phone_number(answer.number),
            how=answer.how,
            replace=list(answer.replace),
            others=[
                InPlaceOf(number=phone_number(o.number), how=o.how, replace=[o.replace])
                for o in answer.others
            ],
            valid_until=answer.valid_until,
            why=list(answer.why),
        )


class Rendered:
    """Their two endpoints."""

    def __init__(
        self,
        *,
        visits: Visits,
        throttle: Throttle,
        metrics: WebMetrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._visits = visits
        self._throttle = throttle
        self._metrics = metrics
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        errors = (400, 403, 404, 429, 503)
        return [
            Endpoint(
                method="GET",
                path="/v1/amp",
                handler=self.amp,
                summary="Which number shall this AMP page (<amp-call-tracking>) show?",
                query=AmpQuery,
                answers={200: AmpNumber},
                open=True,
                errors=errors,
            ),
            Endpoint(
                method="GET",
                path="/v1/number",
                handler=self.number,
                summary="Which number shall this page show? Asked by the server that makes it; with"
                " the site's server token for one visitor, without it for everybody.",
                query=NumberQuery,
                answers={200: NumberOut},
                open=True,
                errors=(401, *errors),
            ),
        ]

    async def amp(self, request: web.Request) -> web.StreamResponse:
        self._throttle.visit(network_of(request[CLIENT]))
        query = read_query(AmpQuery, request)
        self._throttle.site(query.site)
        origin = request.headers.get("Origin", "")
        if not origin and request.headers.get("AMP-Same-Origin") == "true":
            origin = f"{request.scheme}://{request.host}"
        view = await self._visits.site(query.site, self._clock())
        own = amp.publisher(origin, view.site.origins)
        if own is None:
            raise OriginRefused
        answer = await self._visits.visit(
            VisitRequest(
                site=query.site,
                origin=own,
                url=query.url,
                referrer=query.referrer,
                user_agent=request.headers.get("User-Agent", "")[:512],
                visitor=uuid5(_AMP_CLIENTS, query.client) if query.client else None,
                session=None,
                address=request[CLIENT],
                # of a visitor without a name each page would hold a number of its own
                consent=query.consent if query.client else "denied",
            ),
            self._clock(),
        )
        self._count(request, query.site, answer)
        shown = phone_number(_in_place_of(query.number, answer))
        told = answers.json_answer(
            AmpNumber(phoneNumber=shown.e164, formattedPhoneNumber=shown.national)
        )
        told.headers["Access-Control-Allow-Origin"] = origin
        told.headers["Access-Control-Allow-Credentials"] = "true"
        told.headers["Vary"] = "Origin"
        return told

    async def number(self, request: web.Request) -> web.StreamResponse:
        network = network_of(request[CLIENT])
        self._throttle.may_sign_in(network)
        query = read_query(NumberQuery, request)
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if not kind:
            self._throttle.signal(network)
        self._throttle.site(query.site)
        view = await self._visits.site(query.site, self._clock())
        if kind and (kind.lower() != "bearer" or not view.snippet.is_servers(token.strip())):
            self._throttle.sign_in_failed(network)
            return answers.problem(
                401,
                "unauthorized",
                "the token is not this site's: call-router site server-token makes one",
                headers={"WWW-Authenticate": "Bearer"},
            )
        asked = VisitRequest(
            site=query.site,
            origin=_origin(query.url),
            url=query.url,
            referrer=query.referrer,
            user_agent=query.user_agent,
            visitor=query.visitor,
            session=None,
            address=str(query.address) if query.address else None,
            consent=query.consent,
            debug=query.debug,
        )
        if not kind:
            # a robot is shown the page's own number; of anybody else nothing is kept either
            asked = replace(asked, consent="denied", visitor=None, debug=False)
        elif not query.user_agent:
            raise FieldError(
                "user_agent", "is needed: the visitor's", "Mozilla/5.0 (X11; Linux x86_64)"
            )
        answer = await self._visits.visit(asked, self._clock())
        self._count(request, query.site, answer)
        told = answers.json_answer(NumberOut.of(answer, kept=asked.consent == "granted"))
        if not kind:
            told.headers["Cache-Control"] = f"public, max-age={_SHARED_SECONDS}"
        return told

    def _count(self, request: web.Request, site: str, answer: VisitAnswer) -> None:
        request[NOTES].update(site=site, how=answer.how)
        self._metrics.visit(site, answer.how)


def _origin(url: str) -> str:
    """A page's origin as browsers write it; the service refuses what is none of the site's."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise OriginRefused from None
    return f"{parts.scheme}://{parts.netloc}".lower()


def _in_place_of(number: str | None, answer: VisitAnswer) -> str:
    for other in answer.others:
        if number == other.replace:
            return other.number
    if number is None or number in answer.replace:
        return answer.number
    return number  # none of the page's that anything is known of: it stays
