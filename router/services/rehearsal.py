"""Which pool a visit would get, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.domain import attribution, channels
from router.domain.channels import Found
from router.domain.model import Device, Pool, Touch
from router.domain.rules import Facts
from router.domain.targeting import Targeting, pool_for
from router.services.checks import Ref
from router.services.work import organisation_called, site_called
from router.store import administration as store
from router.store import sites as site_store
from router.store.database import Database
from router.store.sites import SiteView


@dataclass(frozen=True, kw_only=True)
class Which:
    """What one visit would get. `default`: the number it sees if none of its own can be had, and whose
    that is, in words. `parts`: the same for the further numbers of the site's pages, by number."""

    touch: Touch
    channel: Found
    targeting: Targeting
    default: str
    default_of: str
    parts: Mapping[str, Targeting]


class Rehearsal:
    """Nothing here changes anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def which(
        self,
        site: Ref,
        url: str,
        *,
        referrer: str = "",
        region: str | None = None,
        city: str | None = None,
        device: Device | None = None,
        visit: int = 1,
        organisation: Ref | None = None,
    ) -> Which:
        """Which pool a visitor's page would be served by who landed on `url`, and why."""
        view = await site_view(self._database, site, organisation)
        facts = Facts(
            touch=attribution.touch(url, referrer, view.own_hosts),
            url=attribution.clean(url, attribution.URL_LENGTH),
            referrer=attribution.clean(referrer, attribution.URL_LENGTH),
            device=device,
            region=region,
            city=city,
            visit=visit,
        )
        channel = channels.channel_of(facts, view.channels)
        facts = facts.in_channel(channel.channel.key)
        targeting = pool_for(facts, view.pools)
        default, owner = _default(view, facts.touch, targeting.pool)
        return Which(
            touch=facts.touch,
            channel=channel,
            targeting=targeting,
            default=default,
            default_of=owner,
            parts={part.number: pool_for(facts, part.view.pools) for part in view.parts},
        )


async def site_view(database: Database, site: Ref, organisation: Ref | None) -> SiteView:
    """A site as its visits see it. Raises FieldError where there is none of that name."""
    owner = await organisation_called(database, organisation)
    found = site_called(await store.sites(database, owner.id), site)
    return (await site_store.directory(database))[found.key]


def _default(view: SiteView, touch: Touch, pool: Pool | None) -> tuple[str, str]:
    number = view.default_number(touch, pool.default_number if pool else None)
    if touch.source.casefold() in view.by_source:
        return number, f"of the source {touch.source}"
    if touch.channel in view.by_channel:
        return number, f"of the channel {touch.channel}"
    if pool is not None and pool.default_number:
        return number, f"of the pool {pool.name}"
    return number, "of the site"
