"""A page that was opened: what is read from it, and what it adds to a session that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from router.domain import attribution, touches, useragent
from router.domain.allocation import RATE
from router.domain.channels import channel_of, with_channel
from router.domain.model import Device, SiteId, Touch
from router.domain.page import VisitRequest
from router.domain.rules import Facts
from router.services.places import Place
from router.store import touches as store
from router.store.database import Queries
from router.store.sessions import Known
from router.store.sites import SiteView


@dataclass(frozen=True, kw_only=True, slots=True)
class Landing:
    """A page was opened; all of it is clean. `region` (ISO 3166-2) and `city`: where its visitor is;
    `rate`: calls that are expected of such a visit."""

    touch: Touch
    url: str
    referrer: str
    device: Device
    region: str | None = None
    city: str | None = None
    rate: float = RATE

    def facts(self, visit: int | None = None) -> Facts:
        """What rules can ask of it."""
        return Facts(
            touch=self.touch,
            url=self.url,
            referrer=self.referrer,
            device=self.device,
            region=self.region,
            city=self.city,
            visit=visit,
        )


class Further(NamedTuple):
    """A landing within a session: whether it is a touch of its own, and ids not known before."""

    landing: Landing
    touched: bool
    ids: Mapping[str, str]


def read(request: VisitRequest, view: SiteView, place: Place) -> Landing:
    """What a page was opened with, cleaned, and the channel that makes."""
    touch = attribution.touch(request.url, request.referrer, view.own_hosts)
    if request.client_ids:
        touch = replace(touch, click_ids={**touch.click_ids, **request.client_ids})
    landing = Landing(
        touch=touch if view.channels else with_channel(touch),
        url=attribution.clean(request.url, attribution.URL_LENGTH),
        referrer=attribution.clean(request.referrer, attribution.URL_LENGTH),
        device=useragent.device(request.user_agent),
        region=place.region,
        city=place.city,
    )
    if not view.channels:
        return landing
    found = channel_of(landing.facts(), view.channels)
    return replace(landing, touch=replace(landing.touch, channel=found.channel.key))


def further(landing: Landing, known: Known) -> Further | None:
    """What a landing adds to the visitor's session, which goes on; None for nothing."""
    touched, ids = touches.further(
        landing.touch,
        landing.url,
        landing.referrer,
        (known.landing_url, known.referrer),
        known.touch.click_ids,
    )
    return Further(landing, touched, ids) if touched or ids else None


async def keep(
    queries: Queries, site_id: SiteId, session: UUID, further: Further, now: datetime
) -> None:
    """Write down what a landing adds. Rare, so it is no part of what every visit waits for."""
    landing = further.landing
    if further.touched:
        await store.add(
            queries,
            site_id,
            session,
            at=now,
            touch=landing.touch,
            url=landing.url,
            referrer=landing.referrer,
        )
    if further.ids:
        await store.name(queries, site_id, session, further.ids)
