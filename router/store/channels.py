"""An organisation's own channels, and default numbers of channels and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from router.domain.channels import Channel
from router.domain.model import OrganisationId, SiteId
from router.domain.rules import Rule, to_json
from router.domain.rules.stored import all_from_json
from router.store.database import Queries


@dataclass(frozen=True, kw_only=True)
class ChannelRow:
    """An own channel; the smallest `place` is asked first."""

    channel: Channel
    place: int


@dataclass(frozen=True, kw_only=True)
class DefaultNumberRow:
    """The default number of a channel, or of a source, on a site."""

    site: str
    channel: str | None
    source: str | None
    e164: str


def from_row(row: Any) -> Channel:
    """Any of the rules is enough."""
    return Channel(key=row["key"], name=row["name"], group="own", rules=all_from_json(row["rules"]))


async def channels(queries: Queries, organisation_id: OrganisationId) -> list[ChannelRow]:
    """In the order in which they are asked."""
    rows = await queries.fetch("channels.own", organisation_id=organisation_id)
    return [ChannelRow(channel=from_row(row), place=row["place"]) for row in rows]


async def put(
    queries: Queries,
    organisation_id: OrganisationId,
    *,
    key: str,
    name: str,
    place: int,
    rules: Sequence[Rule],
    created_at: datetime,
) -> None:
    await queries.execute(
        "channels.put",
        organisation_id=organisation_id,
        key=key,
        name=name,
        place=place,
        rules=[to_json(rule) for rule in rules],
        created_at=created_at,
    )


async def remove(queries: Queries, organisation_id: OrganisationId, key: str) -> bool:
    """False when there is no such channel."""
    gone = await queries.fetchval("channels.remove", organisation_id=organisation_id, key=key)
    return gone is not None


async def pools_that_ask(queries: Queries, organisation_id: OrganisationId, key: str) -> list[str]:
    """The names of pools that belong to a channel, or whose rules mention it."""
    rows = await queries.fetch("channels.pools_that_ask", organisation_id=organisation_id, key=key)
    return [row["name"] for row in rows]


async def default_numbers(
    queries: Queries, organisation_id: OrganisationId
) -> list[DefaultNumberRow]:
    rows = await queries.fetch("channels.default_numbers", organisation_id=organisation_id)
    return [DefaultNumberRow(**row) for row in rows]


async def put_default_number(
    queries: Queries,
    organisation_id: OrganisationId,
    site_id: SiteId,
    *,
    channel: str | None,
    source: str | None,
    e164: str,
    created_at: datetime,
) -> None:
    """Raises FieldError where the channel or source has one, or the number is another's."""
    await queries.execute(
        "channels.put_default_number",
        organisation_id=organisation_id,
        site_id=site_id,
        channel=channel,
        source=source,
        e164=e164,
        created_at=created_at,
    )


async def remove_default_number(
    queries: Queries, site_id: SiteId, *, channel: str | None, source: str | None
) -> str | None:
    """Returns the number that stood there; None where none did."""
    gone: str | None = await queries.fetchval(
        "channels.remove_default_number", site_id=site_id, channel=channel, source=source
    )
    return gone


async def other_uses(queries: Queries, e164: str) -> str | None:
    """What a number is for already, in words; None if it may become a default number."""
    used: str | None = await queries.fetchval("channels.other_uses", e164=e164)
    return used
