"""A company in the database: a site with pools and numbers, as an administrator would set it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from router.domain.page import Heartbeat, Leave, Tap, VisitRequest
from router.domain.reservation_tokens import TokenKey, TokenKeys
from router.store.database import Database

SITE = "shop-key-1"
ORIGIN = "https://shop.example"
DEFAULT = "+74950000000"
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
LANDING = f"{ORIGIN}/?utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=abc"
PAGE = f"{ORIGIN}/contacts"
# What tokens are signed with here, and when: pages whose tokens are no matter of the test have them for long.
_KEY = TokenKey(secret=b"k" * 32, made_at=datetime(2020, 1, 1, tzinfo=UTC))
_LONG = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class APool:
    """`numbers` are the last digits of +7495…; a lower priority is asked first."""

    name: str = "visitors"
    kind: str = "dynamic"
    numbers: range | tuple[int, ...] = range(1, 4)
    reservation_seconds: int = 900
    priority: int = 100
    rules: Mapping[str, str] = field(default_factory=dict)
    default_number: str | None = None
    source: str | None = None
    policy: str = "longest_idle"
    grows: bool = False
    binding: tuple[str, ...] = ()


def e164(n: int) -> str:
    return f"+7495{n:07}"


async def set_up(database: Database, now: datetime, *pools: APool) -> dict[str, int]:
    """One organisation, one site, these pools; returns the pools' ids by name."""
    execute, fetchval = database._pool.execute, database._pool.fetchval
    await execute(
        "UPDATE reservation_token_key SET secret = $1, made_at = $2", _KEY.secret, _KEY.made_at
    )
    await execute("INSERT INTO organisation (name, created_at) VALUES ('Acme', $1)", now)
    await execute(
        "INSERT INTO target (organisation_id, name, kind, endpoint, created_at) "
        "VALUES (1, 'office', 'endpoint', 'office', $1)",
        now,
    )
    await execute(
        "INSERT INTO site (organisation_id, key, name, origins, region, time_zone, default_number, "
        "page_numbers, target_id, created_at) "
        "VALUES (1, $1, 'shop', $2, 'RU', 'Europe/Moscow', $3, $4, 1, $5)",
        SITE,
        [ORIGIN],
        DEFAULT,
        [DEFAULT],
        now,
    )
    ids: dict[str, int] = {}
    for pool in pools or (APool(),):
        rules = [{"field": k, "equals": v} for k, v in pool.rules.items()]
        ids[pool.name] = await fetchval(
            "INSERT INTO pool (organisation_id, site_id, name, kind, priority, reservation_seconds, "
            "rules, default_number, source, policy, grows, binding, created_at) "
            "VALUES (1, 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
            pool.name,
            pool.kind,
            pool.priority,
            pool.reservation_seconds,
            rules,
            pool.default_number,
            pool.source,
            pool.policy,
            pool.grows,
            list(pool.binding),
            now,
        )
        await database._pool.executemany(
            "INSERT INTO number (organisation_id, e164, pool_id, created_at) VALUES (1, $1, $2, $3)",
            [(e164(n), ids[pool.name], now) for n in pool.numbers],
        )
    return ids


def a_visit(url: str = LANDING, **changes: Any) -> VisitRequest:
    values: dict[str, Any] = {
        "site": SITE,
        "origin": ORIGIN,
        "url": url,
        "referrer": "",
        "user_agent": BROWSER,
        "visitor": None,
        "session": None,
    }
    return VisitRequest(**{**values, **changes})


def a_token(session: UUID) -> str | None:
    """What a page of the site brings along that was told this session."""
    return TokenKeys([_KEY]).sign(SITE, session, _LONG)


def a_heartbeat(session: UUID, shown: str | None, **changes: Any) -> Heartbeat:
    values: dict[str, Any] = {"visible": True, "input": True, "token": a_token(session)}
    return Heartbeat(
        site=SITE, origin=ORIGIN, session=session, shown=shown, **{**values, **changes}
    )


def a_leave(session: UUID, kind: Any = "close", **changes: Any) -> Leave:
    values: dict[str, Any] = {"token": a_token(session), **changes}
    return Leave(site=SITE, origin=ORIGIN, session=session, kind=kind, **values)


def a_tap(session: UUID, number: str | None = None, kind: Any = "tap", **changes: Any) -> Tap:
    values: dict[str, Any] = {"token": a_token(session), **changes}
    return Tap(site=SITE, origin=ORIGIN, session=session, number=number, kind=kind, **values)


async def history(database: Database) -> list[tuple[str, datetime, datetime | None, str | None]]:
    """(number, from, to, why it ended) of every reservation, in order."""
    rows = await database._pool.fetch(
        "SELECT e164, started_at, ended_at, end_reason FROM reservation "
        "JOIN number ON number.id = number_id ORDER BY reservation.id"
    )
    return [tuple(row) for row in rows]
